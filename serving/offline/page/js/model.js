// The models as the library has them: what is known of each, and asked about some records.

import { MODELS as FACTS } from "./made/models.js";
import { Problem } from "./made/errors.js";
import { PointsScore, Row } from "./made/points.js";
import { holds } from "./findings.js";
import { kw } from "./python.js";
import { estimate } from "./risk.js";
import { run } from "./runtime.js";

export class RiskModel {
  constructor(facts) {
    Object.assign(this, facts);
  }
  async estimate_all(records) {
    const found = [];
    for (const record of records) found.push(await estimate(this, record, run));
    return found;
  }
}

const findingOf = (finding) => ({
  problem: new Problem(...finding[0]),
  holds: (values) => holds(finding, values),
});

function score(facts) {
  const [points, source] = facts.cut_off;
  const found = new PointsScore(kw({
    ...facts,
    rows: facts.rows.map((row) => new Row(...row)),
    cut_off: { points, source },
    cautions: facts.cautions.map((given) => new Problem(...given)),
  }));
  return Object.assign(found, {
    objections: facts.objections.map(findingOf),
    remarks: facts.remarks.map(findingOf),
    predictors: facts.predictors, only_with: facts.only_with, limits: facts.limits, validity: null, about: facts.about,
    estimate_all: async (records) => records.map((record) => found.estimate(record)),
  });
}

export const MODELS = FACTS.map((facts) =>
  facts.kind === "points" ? score(facts) : new RiskModel(facts));

export const population = (model, text) => model.about[text.lang].population;
export const vietnam = (model, text) => model.about[text.lang].vietnam;
export const licence = (model, text) => model.about[text.lang].licence;
