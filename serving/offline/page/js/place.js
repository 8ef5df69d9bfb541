// Which model answers what, and which rules hold, as cdss.jurisdiction and cdss.guideline.

import { PLACE, TOPICS } from "./made/place.js";
import { NoEstimate, PointsTotal, RiskEstimate, RiskRange } from "./made/estimate.js";
import { Amount, Facts, Need } from "./made/facts.js";
import { RULES } from "./made/rules.js";
import { set, sorted } from "./python.js";

/** Which model answered which question. */
export function choose(outcomes) {
  const byId = Object.fromEntries(outcomes.map((outcome) => [outcome.model, outcome]));
  const answered = (id) =>
    id in byId && !(byId[id] instanceof NoEstimate) && !measured(byId[id]).length;
  return PLACE.questions
    .filter((question) => question.options.some((option) => option.model in byId))
    .map((question) => {
      const option = question.options.find((each) => answered(each.model));
      if (option)
        return { question, model: option.model, beside: option.beside.filter(answered), measured: [] };
      const known = question.options.flatMap((o) => (o.model in byId ? measured(byId[o.model]) : []));
      return { question, model: null, beside: [], measured: [...new Set(known)] };
    });
}

/** Answers to the questions; where nobody could answer, the refusals of those preferred. */
export function kept(outcomes, choices) {
  const keep = new Set(choices.flatMap((choice) => [choice.model, ...choice.beside]));
  for (const choice of choices)
    if (choice.model === null && !choice.measured.length)
      choice.question.options.forEach((option) => keep.add(option.model));
  return outcomes.filter((o) => keep.has(o.model) || !PLACE.named.includes(o.model));
}

/** Apply the rules in force. */
export function advise(record, outcomes, choices) {
  const facts = new Facts(record, amounts(outcomes, choices));
  const advice = [];
  const undecided = [];
  for (const guideline of PLACE.guidelines)
    for (const rule of guideline.rules) {
      const decision = RULES[guideline.key][rule.id](facts, guideline.numbers);
      const [truth, named] = Array.isArray(decision) ? decision : [decision, {}];
      const known = { ...rule, guideline: guideline.key };
      if (truth.value) advice.push({ rule: known, params: { ...guideline.shown, ...named } });
      else if (truth.value === null && truth.needs.size)
        undecided.push({
          rule: known,
          needs: sorted(truth.needs, { key: (need) => [need.variable, need.again] }),
        });
    }
  return { advice: sorted(advice, { key: (each) => TOPICS.indexOf(each.rule.topic) }), undecided };
}

function measured(outcome) {
  if (outcome instanceof NoEstimate) return [];
  return outcome.warnings.filter((w) => w.code === "outcome_measured").map((w) => w.variable);
}

function amounts(outcomes, choices) {
  const byId = Object.fromEntries(outcomes.map((outcome) => [outcome.model, outcome]));
  const found = {};
  for (const risk of PLACE.all_risks) {
    const without = `risk.${risk}_without_laboratory`;
    found[`risk.${risk}`] = found[without] = Amount.nothing();
    const choice = choices.find((each) => each.question.id === PLACE.risks[risk]);
    if (!choice) continue;
    found[`risk.${risk}`] = amount(choice, byId);
    const option = choice.question.options.find((each) => each.model === choice.model);
    if (option && !option.laboratory) found[without] = found[`risk.${risk}`];
  }
  return found;
}

function amount(choice, byId) {
  const outcome = byId[choice.model ?? ""];
  const needs = (names) => set(names.map((name) => new Need(name)));
  if (outcome instanceof RiskEstimate)
    return new Amount(outcome.probability, outcome.probability);
  if (outcome instanceof RiskRange)
    return new Amount(outcome.low, outcome.high, needs(outcome.narrowed_by));
  if (outcome instanceof PointsTotal) return Amount.nothing();
  // Refused: what is only missing can be asked for; the option that misses least.
  const missing = choice.question.options
    .map((option) => byId[option.model])
    .filter((o) => o instanceof NoEstimate && o.reasons.every((r) => r.code === "missing_input"))
    .map((refusal) => needs(refusal.reasons.map((reason) => reason.variable)));
  if (!missing.length) return Amount.nothing();
  return new Amount(0, 1, sorted(missing, { key: (each) => each.size })[0]);
}
