// The questions of the clinician's page. What is left empty is unknown, never "no".

import { form as made, _wrong } from "./made/page_form.js";
import { check } from "./made/page_typed.js";
import { questions } from "./made/template_fields.js";
import { h } from "./dom.js";
import { elements } from "./markup.js";
import { MODELS } from "./model.js";
import { kw } from "./python.js";

/** The form; typed is what stood in it, when it is made again in another language. */
export function form(text, today, typed, { onSubmit, onClear }) {
  const asked = made(typed ?? {}, MODELS, text, kw({ today }));
  const node = h("form", { novalidate: true, autocomplete: "off" },
    elements(questions({ text, lang: text.lang }, asked)),
    h("div", { class: "send" },
      h("button", { class: "main", type: "submit" }, text.text("page.assess")),
      h("button", { type: "button", onclick: onClear }, text.text("offline.clear"))));
  for (const place of node.querySelectorAll("p.error")) place.setAttribute("aria-live", "polite");
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(node, text, onSubmit);
  });
  // What is told moves what lies below: never between the two halves of a click.
  let click = null;
  node.addEventListener("pointerdown", () => {
    click = new Promise((over) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(over), { once: true });
    });
  });
  node.addEventListener("change", async ({ target }) => {
    await click;
    checkOne(node, target, text);
  });
  return node;
}

/** What stands in the inputs, by their names. */
export const typedIn = (node) => Object.fromEntries(new FormData(node));

/** The range that is told is that of the unit chosen. */
function hint(node, name) {
  const chosen = name.endsWith(".unit") ? node.elements.namedItem(name)?.selectedOptions?.[0] : null;
  if (chosen) node.querySelector(`[id="h-${name.slice(0, -5)}"]`).textContent = chosen.dataset.said;
}

/** Go to a question, wherever it is folded in. */
export function jump(at) {
  const target = document.getElementById(`f-${at}`);
  if (!target) return;
  for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  target.scrollIntoView({ block: "center" });
  (target.tagName === "FIELDSET" ? target.querySelector("input") : target).focus({ preventScroll: true });
}

function tell(node, at, wrong) {
  const place = node.querySelector(`[id="e-${at}"]`);
  const input = document.getElementById(`f-${at}`);
  if (!place || !input) return;
  place.textContent = wrong;
  input.closest(".field").classList.toggle("wrong", Boolean(wrong));
  if (input.tagName === "FIELDSET") return;
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function tellAll(node, wrong) {
  for (const place of node.querySelectorAll("p.error")) {
    const at = place.id.slice(2);
    tell(node, at, wrong[at] ?? "");
  }
}

/** Say at once what is wrong with one answer by itself. */
function checkOne(node, { name }, text) {
  hint(node, name);
  const at = name.replace(/\.unit$/, "");
  const typed = typedIn(node);
  const visit = /^earlier\.\d+\./.exec(at)?.[0];
  const alone = { index_date: typed.index_date, [at]: typed[at], [`${at}.unit`]: typed[`${at}.unit`] ?? "" };
  if (visit) alone[`${visit}date`] = typed[`${visit}date`];
  const found = check(alone).problems.filter((problem) => problem.variable === at);
  const [wrong] = _wrong(found, text);
  tell(node, at, wrong[at] ?? "");
}

function submit(node, text, onSubmit) {
  const typed = typedIn(node);
  const checked = check(typed);
  const [wrong, summary] = _wrong(checked.problems, text);
  tellAll(node, wrong);
  const first = [...node.querySelectorAll("p.error")].find((place) => place.textContent);
  onSubmit({ ...checked, typed, summary, first: first ? first.id.slice(2) : "" });
}
