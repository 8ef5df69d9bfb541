// The flow: a record in, all there is to say out; no network, clock or language.

import { MODELS } from "./made/models.js";
import { PointsScore, Row } from "./made/points.js";
import { Problem } from "./made/errors.js";
import { RiskEstimate } from "./made/estimate.js";
import { holds } from "./findings.js";
import { groupBy, kw, sorted } from "./python.js";
import { advise, choose, kept } from "./place.js";
import { estimate } from "./risk.js";

function score(model) {
  const [points, source] = model.cut_off;
  const found = new PointsScore(kw({
    ...model,
    rows: model.rows.map((row) => new Row(...row)),
    cut_off: { points, source },
    cautions: model.cautions.map((given) => new Problem(...given)),
    sources: [],
  }));
  return Object.assign(found, {
    objections: model.objections.map(findingOf),
    remarks: model.remarks.map(findingOf),
  });
}

const findingOf = (finding) => ({
  problem: new Problem(...finding[0]),
  holds: (values) => holds(finding, values),
});

const SCORES = Object.fromEntries(
  MODELS.filter((model) => model.kind === "points").map((model) => [model.id, score(model)]),
);

/** Assess one patient; run answers for trained models (runtime.js). */
export async function assess(record, run) {
  const outcomes = [];
  for (const model of MODELS)
    outcomes.push(
      model.kind === "points"
        ? SCORES[model.id].estimate(record)
        : await estimate(model, record, run),
    );
  const choices = choose(outcomes);
  const { advice, undecided } = advise(record, outcomes, choices);
  return { record, outcomes: kept(outcomes, choices), choices, advice, undecided };
}

/** Outcomes for which more than one model gave a probability. */
export function disagreements(outcomes) {
  const same = groupBy(
    outcomes.filter((outcome) => outcome instanceof RiskEstimate),
    (outcome) => `${outcome.outcome}/${outcome.horizon_years}`,
  );
  return [...same.values()]
    .filter((estimates) => estimates.length > 1)
    .map((estimates) => {
      const ordered = sorted(estimates, { key: (each) => each.probability });
      return {
        outcome: ordered[0].outcome,
        horizon_years: ordered[0].horizon_years,
        low: ordered[0].probability,
        high: ordered.at(-1).probability,
        models: ordered.map((each) => each.model),
      };
    });
}
