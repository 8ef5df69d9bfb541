// The page: three views, two languages, and the service worker that keeps it all on the device.

import { EDITION } from "./made/edition.js";
import { PLACE } from "./made/place.js";
import { about, olderNotice } from "./about.js";
import { assess } from "./assess.js";
import { h, list } from "./dom.js";
import { form, typed } from "./form.js";
import { parse, RecordError } from "./record.js";
import { records } from "./records.js";
import { results } from "./results.js";
import { loadAll, run } from "./runtime.js";
import { savePanel } from "./save.js";
import { Station } from "./station.js";
import { toDict } from "./wire.js";
import { LANGUAGES, Words } from "./words.js";

const VIEWS = ["checkup", "records", "about"];
const station = new Station();
let text = new Words(LANGUAGES.find((lang) => lang === localStorage.getItem("lang")) ?? PLACE.language);
let draft = null; // what was typed, when the view or the language changes
let assessed = null; // the record last assessed

const view = () => VIEWS.find((each) => location.hash === `#${each}`) ?? VIEWS[0];

/** Today on this device's calendar. */
function today() {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()]
    .map((part) => String(part).padStart(2, "0")).join("-");
}

async function draw({ focus = false } = {}) {
  document.documentElement.lang = text.lang;
  document.title = text.text("offline.name");
  document.getElementById("top").replaceChildren(...head());
  const main = document.getElementById("main");
  const shown = view();
  const parts = shown === "records" ? await records(station, text)
    : shown === "about" ? await about(station, text) : checkup();
  if (shown !== view()) return; // another view was asked for meanwhile
  main.replaceChildren(...[olderNotice(station.versions, text), ...parts].flat(Infinity).filter(Boolean));
  document.getElementById("foot").replaceChildren(
    h("p", { class: "dim" }, `cdss ${EDITION.cdss} · ${text.text("notice.advisory")}`));
  if (shown === "checkup" && assessed) await showResults();
  if (focus) main.focus();
}

function head() {
  const other = LANGUAGES.filter((lang) => lang !== text.lang);
  return [
    h("a", { class: "skip", href: "#main", onclick: toMain }, text.text("offline.skip")),
    h("h1", {}, text.text("offline.name")),
    h("nav", { "aria-label": text.text("offline.views") },
      VIEWS.map((each) =>
        h("a", { href: `#${each}`, "aria-current": each === view() ? "page" : null }, text.text(`offline.view.${each}`))),
      other.map((lang) =>
        h("button", { class: "right", type: "button", lang, id: `lang-${lang}`, onclick: () => speak(lang) },
          new Words(lang).text("language.name")))),
  ];
}

function toMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function speak(lang) {
  keepDraft();
  localStorage.setItem("lang", lang);
  text = new Words(lang);
  draw();
}

function keepDraft() {
  const node = document.querySelector("#main form[data-checkup]");
  if (node) draft = typed(node);
}

function checkup() {
  const node = form(text, today(), draft, submit);
  node.dataset.checkup = "";
  node.addEventListener("input", () => {
    assessed = null; // what is shown must be of what is entered
    show([]);
  });
  node.addEventListener("reset", () => {
    assessed = draft = null;
    show([]);
  });
  return [
    h("p", { class: "notice" }, text.text("notice.advisory")),
    h("p", {}, text.text("offline.form_hint")),
    node,
    h("div", { id: "answer", "aria-live": "polite", "aria-atomic": "false" }),
  ];
}

async function submit({ record, wrong }) {
  assessed = null;
  if (wrong) {
    wrong.focus();
    return show([h("p", { class: "problem", role: "alert" }, text.text("offline.correct_first"))]);
  }
  assessed = record;
  await showResults({ focus: true });
}

const show = (parts) =>
  document.getElementById("answer")?.replaceChildren(...parts.flat(Infinity).filter(Boolean));

async function showResults({ focus = false } = {}) {
  const given = assessed;
  const words = text;
  try {
    show([h("p", {}, words.text("offline.working"))]);
    const record = parse(given);
    const answers = toDict(await assess(record, run), words);
    if (given !== assessed || words !== text) return;
    const content = (patient) => ({
      entered: new Date().toISOString(), patient, record: given, answers, edition: EDITION,
    });
    show([...results(answers, record.derived, words), savePanel(station, content, words)]);
    if (!focus) return;
    document.getElementById("results").focus({ preventScroll: true });
    document.getElementById("results").scrollIntoView();
  } catch (error) {
    assessed = null;
    if (error instanceof RecordError) return tellProblems(error.problems);
    show([h("p", { class: "problem", role: "alert" }, words.text("offline.failed"), " ", String(error.message))]);
    throw error;
  }
}

function tellProblems(problems) {
  const said = problems.map((p) => `${text.label(p.variable)}: ${text.problem(p)}`);
  show([h("div", { class: "problem", role: "alert" }, text.text("cli.bad_record"), list(said))]);
}

/** Keep this edition on the device, and offer a newer one when it has been fetched whole. */
async function keepEdition() {
  if (!("serviceWorker" in navigator)) return;
  const hadOne = Boolean(navigator.serviceWorker.controller);
  const registration = await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
  let wanted = false;
  const offer = () => {
    if (!registration.waiting || !hadOne) return;
    const use = () => {
      wanted = true;
      registration.waiting?.postMessage("activate");
    };
    document.getElementById("top").append(
      h("div", { class: "notice", role: "status" }, text.text("offline.new_edition"), " ",
        h("button", { type: "button", onclick: use }, text.text("offline.use_it"))));
  };
  registration.addEventListener("updatefound", () =>
    registration.installing?.addEventListener("statechange", offer));
  // Another tab, in which somebody may be typing, stays as it is.
  navigator.serviceWorker.addEventListener("controllerchange", () => wanted && location.reload());
  offer();
}

addEventListener("hashchange", () => {
  keepDraft();
  draw({ focus: true });
});
station.addEventListener("change", () => {
  if (view() === "records") draw();
});

await draw();
document.documentElement.dataset.ready = "";
keepEdition();
loadAll().catch((error) => {
  document.getElementById("main").prepend(
    h("p", { class: "problem", role: "alert" }, text.text("offline.failed"), " ", String(error.message)));
});
