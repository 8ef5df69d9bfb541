// Check-ups as files that other programs read. They are not encrypted any more: the page says so.

import { VARIABLES } from "./made/variables.js";
import { parse } from "./record.js";

const NAMES = Object.keys(VARIABLES);

/** A cell that no spreadsheet takes for a formula. */
function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One row a check-up: values in canonical units, then the probability or points of each model. */
export function toCsv(checkups) {
  const models = [...new Set(checkups.flatMap((c) => answersOf(c).map(([model]) => model)))].sort();
  const head = ["sequence", "entered", "patient", "index_date", ...NAMES.map(headOf), ...models];
  const rows = checkups.map((checkup) => {
    const { values } = parse(checkup.content.record);
    const answers = Object.fromEntries(answersOf(checkup));
    const { entered, patient, record } = checkup.content;
    return [
      checkup.sequence, entered, patient, record.index_date,
      ...NAMES.map((name) => values[name]), ...models.map((model) => answers[model]),
    ];
  });
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

const headOf = (name) => (VARIABLES[name].unit ? `${name} (${VARIABLES[name].unit})` : name);

/** Model and its number: a probability, points, or the ends of what they can be. */
function answersOf({ content }) {
  const { estimates, ranges, points } = content.answers;
  const span = (o) => (o.low === o.high ? o.low : `${o.low}..${o.high}`);
  return [
    ...estimates.map((e) => [e.model, e.probability]),
    ...[...ranges, ...points].map((o) => [o.model, span(o)]),
  ];
}

/** The records as POST /v1/assess/batch takes them, and beside them what goes with each. */
export function toJson(checkups, edition) {
  const about = checkups.map(({ sequence, content }) => ({
    sequence, entered: content.entered, patient: content.patient, answers: content.answers,
  }));
  const records = checkups.map(({ content }) => content.record);
  return `${JSON.stringify({ records, about, edition }, null, 1)}\n`;
}

const escaped = (value) =>
  String(value).replace(/[&<>"'\u0000-\u001f]/g, (sign) =>
    sign < " " ? "" : `&#${sign.charCodeAt(0)};`);

export function toXml(checkups) {
  const value = (name, found) =>
    `    <value variable="${name}" unit="${escaped(VARIABLES[name].unit)}">${escaped(found)}</value>\n`;
  const answer = ([model, found]) =>
    `    <answer model="${escaped(model)}">${escaped(found)}</answer>\n`;
  const one = (checkup) => {
    const { entered, patient, record } = checkup.content;
    const { values } = parse(record);
    return (
      `  <checkup sequence="${checkup.sequence}" entered="${escaped(entered)}" ` +
      `patient="${escaped(patient)}" date="${record.index_date}">\n` +
      NAMES.filter((name) => name in values).map((name) => value(name, values[name])).join("") +
      answersOf(checkup).map(answer).join("") +
      "  </checkup>\n"
    );
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n<checkups>\n${checkups.map(one).join("")}</checkups>\n`;
}
