// One patient on one day, in canonical units; the same checks as cdss.record and cdss.plausible.

import { UNITS, VARIABLES } from "./made/variables.js";
import { Problem } from "./made/errors.js";
import { MOST_VISITS } from "./made/record.js";
import { derive } from "./made/derived.js";
import { contradictions, implausible_derived, stale } from "./made/plausible.js";
import { set } from "./python.js";

const MEMBERS = new Set(["value", "unit", "date"]);
const TOP = new Set(["index_date", "values", "history"]);

/** What was said about the patient cannot be used; has all problems. */
export class RecordError extends Error {
  constructor(problems) {
    super(problems.map((p) => `${p.variable}: ${p.code}`).join("; "));
    this.problems = problems;
  }
}

const isObject = (a) => a !== null && typeof a === "object" && !Array.isArray(a);
const problem = (code, variable, params = {}) => new Problem(code, variable, "", params);

/** Read a record, finding every problem before failing. */
export function parse(payload) {
  if (!isObject(payload)) throw new RecordError([problem("not_an_object", "record")]);
  const problems = Object.keys(payload)
    .filter((name) => !TOP.has(name))
    .map((name) => problem("unknown_member", name.slice(0, 64)));
  const indexDate = dayOf(payload.index_date, "index_date", problems);
  let entries = payload.values;
  if (!isObject(entries)) {
    problems.push(problem("not_an_object", "values"));
    entries = {};
  }
  const { values, setAside, measured } = valuesOf(entries, indexDate, problems);
  const history = historyOf(payload.history, indexDate, problems);
  if (!problems.length && !Object.keys(values).length)
    problems.push(problem("empty_record", "values"));
  const computed = derive(values);
  problems.push(...contradictions(values), ...implausible_derived(computed));
  if (problems.length) throw new RecordError(problems);
  return {
    index_date: indexDate,
    values: { ...values, ...computed },
    derived: set(Object.keys(computed)),
    set_aside: setAside,
    measured,
    history,
  };
}

export const PatientRecord = { parse };

/** Earlier check-ups of a document, of which the form here takes none. */
export const _received = () => [];
export const _visits = () => [];

function valuesOf(entries, indexDate, problems) {
  const values = {};
  const measured = {};
  const setAside = [];
  for (const [name, entry] of Object.entries(entries)) {
    if (!Object.hasOwn(VARIABLES, name)) {
      problems.push(problem("unknown_variable", name.slice(0, 64)));
      continue;
    }
    const variable = VARIABLES[name];
    const [value, day] = valueOf(variable, entry, problems);
    if (value === null) continue;
    if (day && indexDate && day > indexDate) problems.push(problem("future_date", name));
    else if (day && indexDate && stale(variable, day, indexDate))
      setAside.push(problem("stale", name, { days: variable.fresh_for }));
    else {
      values[name] = value;
      if (day) measured[name] = day;
    }
  }
  return { values, setAside, measured };
}

function valueOf(variable, entry, problems) {
  if (entry === null) return [null, null];
  let value = entry;
  let unit = variable.unit;
  let day = null;
  if (isObject(entry)) {
    if (!("value" in entry) || Object.keys(entry).some((key) => !MEMBERS.has(key))) {
      problems.push(problem("wrong_members", variable.name));
      return [null, null];
    }
    value = entry.value;
    unit = entry.unit ?? variable.unit;
    if ("date" in entry) day = dayOf(entry.date, `${variable.name}.date`, problems);
    if (value === null) return [null, null];
  }
  const [found, wrong] = checked(variable, value, unit);
  if (wrong) problems.push(wrong);
  return wrong ? [null, null] : [found, day];
}

/** Bring one value to its canonical form, or say what is wrong with it. */
export function checked(variable, value, unit) {
  const name = variable.name;
  if (variable.kind === "yes_no")
    return typeof value === "boolean" ? [value, null] : [null, problem("not_yes_no", name)];
  if (variable.kind === "choice")
    return variable.choices.includes(value)
      ? [value, null]
      : [null, problem("not_a_choice", name, { choices: variable.choices })];
  if (typeof value !== "number")
    return [null, problem("not_a_number", name, { unit: variable.unit })];
  if (!Number.isFinite(value)) return [null, problem("not_finite", name)];
  const conversion = Object.hasOwn(UNITS[name], unit) ? UNITS[name][unit] : null;
  if (!conversion) return [null, problem("unknown_unit", name, { units: Object.keys(UNITS[name]) })];
  const converted = value * conversion.factor + conversion.offset;
  const { low, high } = variable;
  if (!(low <= converted && converted <= high))
    return [null, problem("implausible", name, { low, high, unit: variable.unit })];
  return [converted, null];
}

function historyOf(entries, indexDate, problems) {
  if (entries === undefined || entries === null) return [];
  if (!Array.isArray(entries) || entries.length > MOST_VISITS) {
    problems.push(problem("wrong_history", "history", { most: MOST_VISITS }));
    return [];
  }
  const visits = [];
  entries.forEach((entry, at) => {
    const found = [];
    if (!isObject(entry) || Object.keys(entry).sort().join() !== "date,values")
      found.push(problem("wrong_visit", "date"));
    else if (!isObject(entry.values)) found.push(problem("wrong_visit", "values"));
    else {
      const day = dayOf(entry.date, "date", found);
      if (day && indexDate && day >= indexDate) found.push(problem("not_before", "date"));
      const { values } = valuesOf(entry.values, day, found);
      found.push(...contradictions(values));
      if (day && !found.length) visits.push({ day, values: { ...values, ...derive(values) } });
    }
    problems.push(...found.map((p) => problem(p.code, `history/${at}/${p.variable}`, p.params)));
  });
  return visits.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
}

function dayOf(text, name, problems) {
  if (typeof text === "string" && /^\d{4}-\d\d-\d\d$/.test(text)) {
    const time = Date.parse(`${text}T00:00:00Z`);
    if (Number.isFinite(time) && new Date(time).toISOString().startsWith(text)) return text;
  }
  problems.push(problem("wrong_date", name));
  return null;
}
