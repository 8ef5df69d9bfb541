// The view of what is stored: open, list, send, take out as files, delete what was sent.

import { EDITION } from "./made/edition.js";
import { h, list, live } from "./dom.js";
import { toCsv, toJson, toXml } from "./export.js";
import { labelled, storeWords, unlockForm } from "./save.js";

/** The view; it is made anew when anything changes. */
export async function records(station, text) {
  try {
    if (!station.store.unlocked) {
      const state = await station.store.state();
      return [h("h2", {}, text.text("offline.records")), unlockForm(station, state, text)];
    }
    const entries = await station.store.entries();
    return [
      h("h2", {}, text.text("offline.records")),
      counts(entries, text),
      sending(station, entries, text),
      table(entries, text),
      files(station, text),
      settings(station, text),
    ];
  } catch (error) {
    return [h("p", { class: "problem", role: "alert" }, storeWords(error, text))];
  }
}

const many = (entries, state) => entries.filter((entry) => entry.state === state).length;

const counts = (entries, text) =>
  h("p", { id: "counts" }, text.text("offline.counts", {
    waiting: many(entries, "waiting"), sent: many(entries, "sent"),
    refused: many(entries, "refused") + many(entries, "damaged"),
  }));

function sending(station, entries, text) {
  const said = live();
  const { last } = station;
  if (station.sending) said.append(text.text("offline.sending"));
  else if (last?.stopped && last.stopped !== "busy")
    said.append(text.texts[`offline.stopped.${last.stopped}`] ?? text.text(`offline.store.${last.stopped}`));
  const gone = async () => {
    if (confirm(text.text("offline.delete_sent_sure"))) {
      await station.store.removeSent();
      station.changed();
    }
  };
  return h("div", {},
    h("div", { class: "row" },
      h("button", { class: "main", type: "button", disabled: station.sending, onclick: () => station.sync() }, text.text("offline.send")),
      many(entries, "sent") ? h("button", { type: "button", onclick: gone }, text.text("offline.delete_sent")) : null,
      h("button", { type: "button", onclick: () => station.lock() }, text.text("offline.lock"))),
    said);
}

function table(entries, text) {
  if (!entries.length) return h("p", {}, text.text("offline.no_records"));
  const rows = entries.toReversed?.() ?? [...entries].reverse();
  return h("table", { id: "entries" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text.text("offline.number")), h("th", { scope: "col" }, text.text("offline.state_title")))),
    h("tbody", {}, rows.map((entry) => h("tr", {},
      h("th", { scope: "row" }, String(entry.sequence)),
      h("td", {}, text.text(`offline.state.${entry.state}`), problems(entry, text))))));
}

/** What the server said of a check-up, in our words where we have them. */
const problems = (entry, text) =>
  list(entry.problems.map((p) => {
    const said = text.texts[`problem.${p.code}`];
    return `${text.label(p.variable)}: ${said && !said.includes("{") ? said : p.detail}`;
  }));

function files(station, text) {
  const kinds = { csv: ["text/csv", toCsv], json: ["application/json", (c) => toJson(c, EDITION)], xml: ["application/xml", toXml] };
  const said = h("div", { role: "alert" });
  const take = async (kind) => {
    try {
      const [type, write] = kinds[kind];
      const { found, damaged } = await station.checkups();
      said.textContent = damaged.length ? text.text("offline.left_out", { numbers: damaged.join(", ") }) : "";
      const start = kind === "csv" ? "\ufeff" : ""; // spreadsheets know UTF-8 by it
      const blob = new Blob([start + write(found)], { type: `${type};charset=utf-8` });
      const address = URL.createObjectURL(blob);
      h("a", { href: address, download: `cdss-${new Date().toISOString().slice(0, 10)}.${kind}` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } catch (error) {
      said.textContent = storeWords(error, text);
    }
  };
  return h("section", {}, h("h3", {}, text.text("offline.export")),
    h("p", { class: "dim" }, text.text("offline.export_warning")),
    h("div", { class: "row" }, Object.keys(kinds).map((kind) =>
      h("button", { type: "button", id: `export-${kind}`, onclick: () => take(kind) }, kind.toUpperCase()))),
    said);
}

function settings(station, text) {
  const input = h("input", { id: "server-key", type: "password", autocomplete: "off" });
  const said = live();
  const save = async () => {
    try {
      await station.setKey(input.value);
      input.value = "";
      said.textContent = text.text("offline.key_saved");
    } catch (error) {
      said.textContent = storeWords(error, text);
    }
  };
  return h("details", {}, h("summary", {}, text.text("offline.server")),
    h("p", {}, text.text("offline.server_is", { server: EDITION.server || location.origin })),
    h("p", { class: "dim" }, text.text("offline.device_is", { device: station.store.device })),
    labelled(text.text("offline.key"), input),
    h("div", { class: "row" }, h("button", { type: "button", onclick: save }, text.text("offline.save_key"))), said);
}
