// Exact Shapley values of a published equation against its reference patient, as cdss.shapley: the
// reference is a man and a woman with the same values, each counting half.

import { log_odds } from "./made/equation.js";
import { FORMULAS } from "./made/formulas.js";

/** Log-odds of an equation for one sex and values by name. */
function logOdds(model, sex, values) {
  const [folder, name] = model.formula;
  return log_odds(FORMULAS[folder][name](model.coefficients[sex], sex, values));
}

/** Log-odds of one patient, and what each value adds; x has sex first, as 0 (male) or 1. */
export function explain(model, x) {
  const names = model.inputs;
  const reference = model.reference_row;
  const moved = reference.map((_, at) => at).filter((at) => x[at + 1] !== reference[at]);
  const players = moved.length + 1;
  const worth = worths(model, names, x, reference, moved);
  const weights = Array.from({ length: players }, (_, size) => weight(size, players));
  const contributions = x.map(() => 0);
  for (let player = 0; player < players; player++) {
    const bit = 1 << player;
    let sum = 0;
    for (let set = 0; set < worth.length; set++)
      if (!(set & bit)) sum += weights[count(set)] * (worth[set | bit] - worth[set]);
    contributions[player === moved.length ? 0 : moved[player] + 1] = sum;
  }
  return { total: worth.at(-1), contributions };
}

/** Log-odds of every set of what is known; the highest bit is sex. */
function worths(model, names, x, reference, moved) {
  const known = [];
  const either = [];
  for (let set = 0; set < 1 << moved.length; set++) {
    const values = Object.fromEntries(reference.map((value, at) => [names[at + 1], value]));
    moved.forEach((at, bit) => {
      if (set & (1 << bit)) values[names[at + 1]] = x[at + 1];
    });
    const [male, female] = ["male", "female"].map((sex) => logOdds(model, sex, values));
    known.push(x[0] === 0 ? male : female);
    either.push((male + female) / 2);
  }
  return [...either, ...known];
}

const factorial = (n) => (n < 2 ? 1 : n * factorial(n - 1));
const weight = (size, players) =>
  (factorial(size) * factorial(players - size - 1)) / factorial(players);
const count = (set) => set.toString(2).replaceAll("0", "").length;
