// What each input adds to a risk, the largest first; small and unknown ones told together
// (cdss.i18n.contributions).

import { _MOST, _SMALL } from "./made/contributions.js";
import { VARIABLES } from "./made/variables.js";
import { round } from "./python.js";

export function contributionRows(estimate, derived, text) {
  const known = estimate.contributions
    .filter((c) => c.value !== null)
    .map((c) => ({
      label: text.label(c.variable) + (derived.has(c.variable) ? " *" : ""),
      value: text.quantity(c.variable, c.value),
      points: c.risk_points,
      modifiable: VARIABLES[c.variable].modifiable,
    }));
  const unknown = estimate.contributions.filter((c) => c.value === null);
  if (unknown.length === 1) {
    const [one] = unknown;
    const label = text.label(one.variable);
    known.push({ label, value: text.quantity(one.variable, null), points: one.risk_points });
  } else if (unknown.length)
    known.push(together("report.unknown_values", unknown.map((c) => c.risk_points), text));
  const rows = known.sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
  const least = _SMALL * Math.abs(rows[0].points);
  const shown = rows.slice(0, _MOST).filter((row) => Math.abs(row.points) >= least);
  if (shown.length >= rows.length - 1) return rows; // a single one needs no collective name
  const others = rows.slice(shown.length);
  return [...shown, together("report.others", others.map((row) => row.points), text)];
}

function together(key, points, text) {
  const sum = points.reduce((total, each) => total + each, 0);
  return { label: text.text(key, { count: points.length }), value: "", points: sum };
}

/** What rows add in percentage points, all to as many decimals. */
export function percentagePoints(rows, text) {
  const scale = Math.max(0, ...rows.map((row) => Math.abs(row.points)));
  const decimals = 100 * scale >= 1 ? 1 : 2;
  return rows.map(({ points }) => {
    const sign = round(100 * points, decimals) < 0 ? "−" : "+";
    return sign + text.number(Math.abs(100 * points), decimals);
  });
}
