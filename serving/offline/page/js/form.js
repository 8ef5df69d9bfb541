// The questions, made from the data dictionary. What is left empty is unknown, never "no".

import { DERIVED } from "./made/derived.js";
import { MODELS } from "./made/models.js";
import { UNITS, VARIABLES } from "./made/variables.js";
import { h } from "./dom.js";
import { readNumber } from "./numbers.js";
import { checked } from "./record.js";
import { groupBy } from "./python.js";

/** Variables that the models ask for, those that are computed replaced by what they need. */
function asked() {
  const wanted = new Set(MODELS.flatMap((m) => [...m.inputs, ...(m.optional ?? []), ...m.excluded]));
  for (const { variable, needs } of DERIVED)
    if (wanted.has(variable) && needs.some((n) => VARIABLES[n].kind === "quantity" && n !== "age")) {
      wanted.delete(variable);
      needs.forEach((need) => wanted.add(need));
    }
  if (wanted.has("smoking")) wanted.delete("current_smoker");
  return wanted;
}

const ASKED = asked();
const idOf = (name) => `value-${name}`;

/** The form; given are entries of an earlier reading, said again in another language. */
export function form(text, today, given, onSubmit) {
  const groups = (names) =>
    [...groupBy(names, (name) => VARIABLES[name].group)].map(([group, members]) =>
      h("fieldset", {}, h("legend", {}, text.text(`group.${group}`)),
        members.map((name) => field(VARIABLES[name], text))),
    );
  const names = Object.keys(VARIABLES);
  const node = h("form", { novalidate: true, autocomplete: "off" },
    h("div", { class: "field" },
      h("label", { for: "index-date" }, text.text("field.index_date")),
      h("div", { class: "inputs" },
        h("input", { id: "index-date", type: "date", required: true, value: given?.date ?? today })),
      problemOf("index_date")),
    groups(names.filter((name) => ASKED.has(name))),
    h("div", { class: "field" },
      h("label", { for: "lab-date" }, text.text("offline.lab_date")),
      h("div", { class: "inputs" }, h("input", { id: "lab-date", type: "date", max: today }))),
    h("details", {}, h("summary", {}, text.text("offline.more_questions")),
      groups(names.filter((name) => !ASKED.has(name)))),
    h("div", { class: "row" },
      h("button", { class: "main", type: "submit" }, text.text("offline.assess")),
      h("button", { type: "reset" }, text.text("offline.clear"))),
  );
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit(read(node, text));
  });
  node.addEventListener("change", (event) => checkOne(event.target, text));
  node.addEventListener("reset", () =>
    node.querySelectorAll("[aria-invalid]").forEach((input) => tell(input, "")));
  if (given) fill(node, given);
  return node;
}

const problemOf = (name) => h("div", { class: "wrong", id: `wrong-${name}`, "aria-live": "polite" });

function field(variable, text) {
  const { name, kind } = variable;
  const described = { id: idOf(name), "data-variable": name, "aria-describedby": `wrong-${name}` };
  return h("div", { class: "field" },
    h("label", { for: idOf(name) }, text.label(name)),
    h("div", { class: "inputs" },
      kind === "quantity"
        ? [h("input", { ...described, type: "text", inputmode: "decimal" }), unit(variable, text)]
        : h("select", described, h("option", { value: "" }, text.text("value.unknown")),
            variable.options.map((option) =>
              h("option", { value: String(option) }, text.value(name, option))))),
    problemOf(name));
}

function unit(variable, text) {
  const { name } = variable;
  const units = Object.keys(UNITS[name]);
  const said = (code) => text.texts[`unit.${code}`] ?? text.texts[`offline.unit.${code}`] ?? code;
  if (units.length === 1) return h("span", { class: "unit" }, said(units[0]));
  const label = text.text("offline.unit_of", { variable: text.label(name) });
  return h("select", { class: "unit", id: `unit-${name}`, "aria-label": label },
    units.map((code) => h("option", { value: code }, said(code))));
}

/** Entry of one input: null if empty, or a value with its unit, or words on what is wrong. */
function entryOf(input, text) {
  const name = input.dataset.variable;
  const variable = VARIABLES[name];
  if (input.value.trim() === "") return { entry: null, wrong: "" };
  if (variable.kind === "yes_no") return { entry: input.value === "true", wrong: "" };
  if (variable.kind === "choice") return { entry: input.value, wrong: "" };
  const value = readNumber(input.value);
  if (value === null) return { entry: null, wrong: text.text("problem.ambiguous_number") };
  const code = document.getElementById(`unit-${name}`)?.value ?? variable.unit;
  const [, problem] = Number.isNaN(value)
    ? checked(variable, input.value, code)
    : checked(variable, value, code);
  return { entry: { value, unit: code }, wrong: problem ? text.problem(problem) : "" };
}

function tell(input, wrong) {
  const place = document.getElementById(`wrong-${input.dataset.variable ?? "index_date"}`);
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  if (place) place.textContent = wrong;
}

function checkOne(target, text) {
  const name = target.dataset.variable ?? /^unit-(.+)$/.exec(target.id)?.[1];
  if (!name) return;
  const input = document.getElementById(idOf(name));
  tell(input, entryOf(input, text).wrong);
}

/** What was entered, as the service takes it, and the first input that is wrong. */
function read(node, text) {
  const labDate = node.querySelector("#lab-date").value;
  const indexDate = node.querySelector("#index-date").value;
  const values = {};
  let wrong = null;
  for (const input of node.querySelectorAll("[data-variable]")) {
    const found = entryOf(input, text);
    tell(input, found.wrong);
    if (found.wrong) wrong ??= input;
    if (found.entry === null) continue;
    const name = input.dataset.variable;
    values[name] = found.entry;
    if (labDate && labDate !== indexDate && VARIABLES[name].laboratory)
      values[name] =
        typeof found.entry === "object"
          ? { ...found.entry, date: labDate }
          : { value: found.entry, date: labDate };
  }
  return { record: { index_date: indexDate, values }, wrong };
}

/** What is typed now, so that another language finds it again. */
export function typed(node) {
  const inputs = [...node.querySelectorAll("input, select")];
  return {
    date: node.querySelector("#index-date").value,
    inputs: inputs.map((input) => [input.id, input.value]),
  };
}

function fill(node, given) {
  for (const [id, value] of given.inputs) {
    const input = node.querySelector(`#${id}`);
    if (input) input.value = value;
  }
}
