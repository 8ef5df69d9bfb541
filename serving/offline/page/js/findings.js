// What is said of a patient whose value of one variable meets a test, as cdss.limits.

import { Problem } from "./made/errors.js";

const TESTS = {
  unknown: (value) => value === undefined,
  known: (value) => value !== undefined,
  yes: (value) => value === true,
  no: (value) => value === false,
};

/** Whether a known value lies outside a range. */
function passed([low, high, below], value) {
  if (value === undefined) return false;
  const number = Number(value);
  return number < low || (below ? number >= high : number > high);
}

/** Whether a finding is said of somebody with these values. */
export const holds = ([[, variable], test], values) =>
  typeof test === "string" ? TESTS[test](values[variable]) : passed(test, values[variable]);

/** The problems that are said. */
export const said = (findings, values) =>
  findings.filter((finding) => holds(finding, values)).map(([given]) => new Problem(...given));
