// How a model answers or refuses, as cdss.risk.

import { VARIABLES } from "./made/variables.js";
import { Problem } from "./made/errors.js";
import { said } from "./findings.js";
import {
  Contribution, NoEstimate, RiskEstimate, RiskRange, expit, risk_per_log_odds,
} from "./made/estimate.js";
import { groupBy, sorted } from "./python.js";
import { explain } from "./shapley.js";
import { judge, outsideProblem } from "./validity.js";

/** One patient's risk; run gives probability and contributions of a trained model's row. */
export async function estimate(model, record, run) {
  const against = said(model.objections, record.values);
  const { id, version, outcome, horizon_years } = model;
  if (against.length) return new NoEstimate(id, version, outcome, horizon_years, against);
  const open = model.spanned.filter((name) => !(name in record.values));
  if (open.length) return span(model, record, open);
  const x = row(model, record.values);
  const { probability, contributions } =
    model.kind === "trained" ? await run(model, x) : evaluate(model, x);
  const { bounds, outside } = model.validity
    ? judge(model, x, probability)
    : { bounds: null, outside: [] };
  const start = expit(model.baseline);
  const total = contributions.reduce((sum, each) => sum + each, 0);
  const share = risk_per_log_odds(probability, start, total);
  const names = [...model.inputs, ...model.optional];
  return new RiskEstimate(
    id, version, outcome, horizon_years, probability, start,
    names.map((name, at) => new Contribution(
      name, record.values[name] ?? null, VARIABLES[name].unit,
      contributions[at], contributions[at] * share,
    )),
    model.optional.filter((name) => !(name in record.values)),
    warnings(model, record, outside),
    model.demonstration, model.reference, bounds, outside, model.released,
  );
}

/** Value as models see it: a number, NaN if unknown. */
function encode(name, value) {
  if (value === undefined) return NaN;
  const variable = VARIABLES[name];
  return variable.kind === "choice" ? variable.choices.indexOf(value) : Number(value);
}

const row = (model, values) =>
  [...model.inputs, ...model.optional].map((name) => encode(name, values[name]));

function evaluate(model, x) {
  const { total, contributions } = explain(model, x);
  return { probability: 1 / (1 + Math.exp(-total)), contributions };
}

/** Lowest and highest risk over every value of what is unknown. */
function span(model, record, names) {
  const sizes = names.map((name) => VARIABLES[name].options.length);
  const cells = product(sizes).map((at) => {
    const values = { ...record.values };
    names.forEach((name, axis) => (values[name] = VARIABLES[name].options[at[axis]]));
    return { at, risk: evaluate(model, row(model, values)).probability };
  });
  const spread = (risks) => Math.max(...risks) - Math.min(...risks);
  // How much of the range is left, at worst, when one of them becomes known.
  const left = names.map((_, axis) => {
    const byValue = groupBy(cells, (cell) => cell.at[axis]);
    return Math.max(...[...byValue.values()].map((some) => spread(some.map((c) => c.risk))));
  });
  const order = sorted(names.map((_, axis) => axis), { key: (axis) => left[axis] });
  const risks = cells.map((cell) => cell.risk);
  return new RiskRange(
    model.id, model.version, model.outcome, model.horizon_years,
    Math.min(...risks), Math.max(...risks), order.map((axis) => names[axis]),
    warnings(model, record, []),
  );
}

const product = (sizes) =>
  sizes.reduce(
    (all, size) => all.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])),
    [[]],
  );

function warnings(model, record, outside) {
  const found = model.demonstration ? [new Problem("demonstration", "model", "")] : [];
  found.push(...model.cautions.map((given) => new Problem(...given)));
  found.push(...said(model.remarks, record.values));
  found.push(...outside.map((name) => outsideProblem(model, name)));
  const mine = [...model.inputs, ...model.optional, ...model.excluded];
  found.push(...record.set_aside.filter((problem) => mine.includes(problem.variable)));
  return found;
}
