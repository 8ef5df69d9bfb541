// The whole computation behind one function, for the page and for tests.

import { results } from "./made/page_results.js";
import { courses } from "./made/page_trend.js";
import { levers } from "./made/page_what_if.js";
import { assess } from "./assess.js";
import { MODELS } from "./model.js";
import { parse, RecordError } from "./record.js";
import { page } from "./results.js";
import { strftime } from "./python.js";
import { problems, toDict } from "./wire.js";
import { Words } from "./words.js";

/** The answer of the service to a record, or its problems. */
export async function answer(payload, lang) {
  const text = new Words(lang);
  try {
    return toDict(await assess(parse(payload)), text);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { problems: problems(error.problems, text) };
  }
}

export const dayOf = ({ record }, text) =>
  strftime(record.index_date, text.text("language.date"));

/** Who it is about, as far as numbers say: sex and age. */
export const patientOf = ({ record }, text) =>
  ["sex", "age"].filter((name) => name in record.values)
    .map((name) => text.quantity(name, record.values[name])).join(", ");

/** An assessment as the clinician's page shows it. */
export async function shown(assessment, typed, text) {
  return {
    results: await results(assessment, MODELS, text),
    courses: courses(assessment.record, text),
    levers: levers(assessment, MODELS, typed, text),
  };
}

/** What the page shows of a record, as markup; null if it has problems. */
export async function look(payload, lang) {
  const text = new Words(lang);
  try {
    const assessment = await assess(parse(payload));
    return page(await shown(assessment, {}, text), dayOf(assessment, text), patientOf(assessment, text), text);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return null;
  }
}
