// The flow: a record in, all there is to say out; no network, clock or language.

import { RiskEstimate } from "./made/estimate.js";
import { PLACE } from "./made/place.js";
import { MODELS } from "./model.js";
import { advise, choose, kept } from "./place.js";
import { groupBy, sorted } from "./python.js";

class Assessment {
  jurisdiction = PLACE;
  constructor(found) {
    Object.assign(this, found);
  }
  get estimates() {
    return this.outcomes.filter((outcome) => outcome instanceof RiskEstimate);
  }
  get disagreements() {
    return disagreements(this.outcomes);
  }
}

/** Assess one patient. */
export async function assess(record) {
  const outcomes = [];
  for (const model of MODELS) outcomes.push(...(await model.estimate_all([record])));
  const choices = choose(outcomes);
  const { advice, undecided } = advise(record, outcomes, choices);
  return new Assessment({ record, outcomes: kept(outcomes, choices), choices, advice, undecided });
}

/** Outcomes for which more than one model gave a probability. */
function disagreements(outcomes) {
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
