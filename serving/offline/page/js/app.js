// The page: three views, two languages, and the service worker that keeps it all on the device.

import { EDITION } from "./made/edition.js";
import { PLACE } from "./made/place.js";
import { about, olderNotice } from "./about.js";
import { assess } from "./assess.js";
import { h } from "./dom.js";
import { dayOf, patientOf, shown } from "./engine.js";
import { form, jump, typedIn } from "./form.js";
import { records } from "./records.js";
import { results } from "./results.js";
import { loadAll } from "./runtime.js";
import { savePanel } from "./save.js";
import { simulating } from "./simulation.js";
import { Station } from "./station.js";
import { toDict } from "./wire.js";
import { LANGUAGES, Words } from "./words.js";

const VIEWS = ["checkup", "records", "about"];
const station = new Station();
let text = new Words(LANGUAGES.find((lang) => lang === localStorage.getItem("lang")) ?? PLACE.language);
let draft = null; // what was typed, when the view or the language changes
let assessed = null; // what the form said that was last assessed

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
  if (node) draft = typedIn(node);
}

function checkup() {
  const node = form(text, today(), draft, { onSubmit: submit, onClear: clear });
  node.dataset.checkup = "";
  node.addEventListener("input", () => {
    assessed = null; // what is shown must be of what is entered
    show([]);
  });
  return [
    h("h2", {}, text.text("page.entry")),
    h("p", { class: "validity" }, text.text("notice.advisory")),
    h("p", { class: "lead" }, text.text("offline.form_hint")),
    node,
    h("div", { id: "answer", class: "answer", "aria-live": "polite", "aria-atomic": "false" }),
  ];
}

/** Every question is open again, for the next person. */
async function clear() {
  assessed = draft = null;
  await draw();
  scrollTo(0, 0);
  document.querySelector("form[data-checkup] input").focus({ preventScroll: true });
}

async function submit(checked) {
  assessed = null;
  if (checked.record === null) return tellProblems(checked);
  assessed = checked;
  await showResults({ focus: true });
}

const show = (parts) =>
  document.getElementById("answer")?.replaceChildren(...parts.flat(Infinity).filter(Boolean));

async function showResults({ focus = false } = {}) {
  const given = assessed;
  const words = text;
  try {
    show([h("p", {}, words.text("offline.working"))]);
    const { record, payload, typed } = given;
    const assessment = await assess(record);
    const found = await shown(assessment, typed, words);
    if (given !== assessed || words !== text) return;
    const answers = toDict(assessment, words);
    const content = (patient) => ({
      entered: new Date().toISOString(), patient, record: payload, answers, edition: EDITION,
    });
    const said = results(found, dayOf(assessment, words), patientOf(assessment, words), words);
    simulating(said, assessment, found.levers, typed, words);
    said.querySelector(".meaning").before(savePanel(station, content, words));
    show([said]);
    if (!focus) return;
    document.getElementById("results").focus({ preventScroll: true });
    document.getElementById("results").scrollIntoView();
  } catch (error) {
    assessed = null;
    show([h("p", { class: "problem", role: "alert" }, words.text("offline.failed"), " ", String(error.message))]);
    throw error;
  }
}

/** Everything that is wrong; what belongs to a question leads there. */
function tellProblems({ summary, first }) {
  const item = ([said, at]) => {
    const go = (event) => {
      event.preventDefault();
      jump(at);
    };
    return h("li", {}, at ? h("a", { href: "#checkup", onclick: go }, said) : said);
  };
  show([h("section", { class: "problems", role: "alert", tabindex: -1 }, h("h2", {}, text.text("page.problems")),
    h("ul", {}, summary.map(item)))]);
  if (first) jump(first);
  else document.querySelector("#answer .problems").focus();
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
