// Which versions run here, how they compare with the server's, and how much room there is.

import { EDITION } from "./made/edition.js";
import { MODELS } from "./made/models.js";
import { h, list } from "./dom.js";

/** Said above every view when the server has later models. */
export function olderNotice(versions, text) {
  if (!versions?.older.length) return null;
  const said = versions.older.map((each) => text.text("offline.older", each));
  return h("div", { class: "notice", role: "status" }, h("strong", {}, text.text("offline.older_title")), list(said));
}

export async function about(station, text) {
  const room = await navigator.storage?.estimate?.();
  const kept = await navigator.storage?.persisted?.();
  const megabytes = (bytes) => text.number(Math.round(bytes / 1e5) / 10);
  return [
    h("h2", {}, text.text("offline.about")),
    h("p", { class: "notice" }, text.text("notice.advisory")),
    h("p", {}, text.text("offline.edition", { version: EDITION.cdss })),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {},
      h("th", { scope: "col" }, text.text("offline.model")), h("th", { scope: "col" }, text.text("offline.version")))),
    h("tbody", {}, MODELS.map((model) => h("tr", {},
      h("th", { scope: "row" }, model.id, h("div", { class: "dim" }, `${text.text(`outcome.${model.outcome}`)}. ${model.about[text.lang].population}`)),
      h("td", {}, model.version)))))),
    station.versions
      ? h("p", {}, text.text(station.versions.older.length ? "offline.older_title" : "offline.same_versions"))
      : h("p", {}, text.text("offline.versions_unknown")),
    station.versions?.lacking.length
      ? h("p", {}, text.text("offline.lacking", { models: station.versions.lacking.join(", ") })) : null,
    room ? h("p", {}, text.text("offline.room", { used: megabytes(room.usage), quota: megabytes(room.quota) })) : null,
    h("p", {}, text.text(kept ? "offline.kept" : "offline.not_kept")),
  ];
}
