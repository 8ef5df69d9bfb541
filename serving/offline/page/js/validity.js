// How sure an estimate is, and whether the patient is like those the model was made from: what
// cdss.validity and cdss.population say of one person.

import { VARIABLES } from "./made/variables.js";
import { Problem } from "./made/errors.js";
import { Interval } from "./made/interval.js";
import { COMBINATION, _FEWEST, _FLOOR } from "./made/population.js";
import { bisect_right, compared } from "./python.js";
import { eigen } from "./eigen.js";


/** Interval of an estimate and what is outside; x are the predictors, NaN = unknown. */
export function judge(model, x, probability) {
  const { interval, population, tiers } = model.validity;
  const known = new Set(predictors(model).filter((_, at) => !Number.isNaN(x[at])));
  let bounds = null;
  if (interval) {
    const scale = interval[3][tierOf(tiers, known)];
    bounds = new Interval(...interval).around(probability, scale ?? NaN);
  }
  const at = (name) => x[predictors(model).indexOf(name)];
  return { bounds, outside: population ? outside(population, population.names.map(at)) : [] };
}

/** The warning about something outside. */
export const outsideProblem = (model, name) => new Problem(...model.validity.problems[name]);

const predictors = (model) => [...model.inputs, ...model.optional];

/** The tier that differs least from what is known, panel by panel. */
function tierOf(tiers, known) {
  const panels = new Map();
  for (const name of Object.values(tiers).flat()) {
    const group = VARIABLES[name].group;
    panels.set(group, (panels.get(group) ?? new Set()).add(name));
  }
  const differing = (tier) => {
    const hidden = new Set(tiers[tier]);
    const differ = [...panels.values()].filter((panel) => {
      const someKnown = [...panel].some((name) => known.has(name));
      return someKnown === [...panel].every((name) => hidden.has(name));
    });
    return [differ.length, -hidden.size];
  };
  return Object.keys(tiers).reduce((best, tier) =>
    compared(differing(tier), differing(best)) < 0 ? tier : best,
  );
}

/** Quantities whose value is rare, and COMBINATION if they are rare together. */
function outside(population, values) {
  const { names, quantiles, scores } = population;
  const found = [];
  const z = values.map((value, i) => {
    const known = quantiles[i];
    if (Number.isNaN(value)) return 0;
    if (value < known[0] || value > known.at(-1)) {
      found.push(names[i]);
      return value > known[0] ? scores.at(-1) : scores[0];
    }
    const at = bisect_right(known, value) - 1;
    if (at === known.length - 1) return scores.at(-1);
    const part = (value - known[at]) / (known[at + 1] - known[at]);
    return scores[at] + part * (scores[at + 1] - scores[at]);
  });
  const known = values.map((_, i) => i).filter((i) => !Number.isNaN(values[i]));
  if (known.length >= _FEWEST && distance(population, z, known) > most(population, known.length))
    found.push(COMBINATION);
  return found;
}

/** Squared Mahalanobis distance of what is known. */
function distance(population, z, known) {
  const { values, vectors } = eigen(known.map((i) => known.map((j) => population.correlation[i][j])));
  return values.reduce((sum, value, k) => {
    const along = known.reduce((total, i, row) => total + z[i] * vectors[row][k], 0);
    return sum + (along * along) / Math.max(value, _FLOOR);
  }, 0);
}

/** Squared distance that corresponds to the threshold (Wilson and Hilferty). */
function most(population, many) {
  const part = 2 / (9 * many);
  const root = Math.max(1 - part + population.threshold * Math.sqrt(part), 0);
  return many * root ** 3;
}
