// The JSON of an assessment: what the service answers to the same record (cdss.wire).

import { NoEstimate, PointsTotal, RiskEstimate, RiskRange } from "./made/estimate.js";
import { PLACE } from "./made/place.js";
import { sorted } from "./python.js";

export function toDict(assessment, text) {
  const { record, outcomes, choices, advice, undecided } = assessment;
  const of = (kind, said) => outcomes.filter((o) => o instanceof kind).map((o) => said(o, text));
  return {
    index_date: record.index_date,
    jurisdiction: PLACE.id,
    answers: choices.map((choice) => answer(choice, text)),
    estimates: of(RiskEstimate, estimate),
    ranges: of(RiskRange, range),
    points: of(PointsTotal, points),
    disagreements: assessment.disagreements,
    advice: advice.map((each) => adviceOf(each, text)),
    undecided: undecided.map(({ rule, needs }) => ({
      rule: rule.id,
      guideline: rule.guideline,
      needs: needs.map(({ variable, again }) => ({ variable, again })),
    })),
    to_ask: to_ask(undecided).map(({ need, rules }) => ({
      variable: need.variable, again: need.again, text: text.need(need), rules,
    })),
    not_estimated: of(NoEstimate, refusal),
    set_aside: problems(record.set_aside, text),
    notice: text.text("notice.advisory"),
  };
}

export const problems = (found, text) =>
  found.map((p) => ({ code: p.code, variable: p.variable, detail: text.problem(p) }));

const heading = ({ model, version, outcome, horizon_years }) => ({
  model, version, outcome, horizon_years,
});

const answer = (choice, text) => ({
  question: choice.question.id,
  text: text.text(`question.${choice.question.id}`),
  model: choice.model,
  beside: choice.beside,
  measured: choice.measured,
  why: text.text(`why.${choice.question.why}`),
});

const estimate = (found, text) => ({
  ...heading(found),
  probability: found.probability,
  baseline_probability: found.baseline_probability,
  contributions: found.contributions.map((each) => ({ ...each })),
  missing: found.missing,
  warnings: problems(found.warnings, text),
  demonstration: found.demonstration,
  reference: Object.keys(found.reference).length ? found.reference : null,
  interval: found.interval && { ...found.interval },
  outside: found.outside,
  released: found.released,
});

const range = (found, text) => ({
  ...heading(found),
  low: found.low,
  high: found.high,
  narrowed_by: found.narrowed_by,
  warnings: problems(found.warnings, text),
});

const points = (found, text) => ({
  ...heading(found),
  low: found.low,
  high: found.high,
  most: found.most,
  cut_off: found.cut_off,
  positive: found.positive,
  items: found.items.map((item) => ({ ...item })),
  missing: found.missing,
  warnings: problems(found.warnings, text),
});

const refusal = (found, text) => ({ ...heading(found), reasons: problems(found.reasons, text) });

function adviceOf(advice, text) {
  const { rule } = advice;
  const { citation, locator, url } = rule.source;
  return {
    rule: rule.id,
    topic: rule.topic,
    text: text.advice(advice),
    strength: rule.strength || null,
    guideline: rule.guideline,
    source: { citation, locator, url: url || null },
    who: text.who(rule) || null,
    within: text.within(rule) || null,
    open: rule.open.map((name) => text.text(`open.${rule.guideline}.${name}`)),
  };
}

/** Undecided rules turned around: what to ask or measure, what decides most first. */
export function to_ask(undecided) {
  const found = new Map();
  for (const { rule, needs } of undecided)
    for (const need of needs) {
      const key = `${need.variable}/${need.again}`;
      if (!found.has(key)) found.set(key, { need, rules: [] });
      found.get(key).rules.push(rule.id);
    }
  return sorted(found.values(), { key: ({ need, rules }) => [need.again ? 0 : 1, -rules.length] });
}

export const advice_text = (advice, text) => text.advice(advice);
