// The whole computation behind one function, for the page and for tests.

import { assess } from "./assess.js";
import { parse, RecordError } from "./record.js";
import { run } from "./runtime.js";
import { problems, toDict } from "./wire.js";
import { Words } from "./words.js";

/** The answer of the service to a record, or its problems. */
export async function answer(payload, lang) {
  const text = new Words(lang);
  try {
    return toDict(await assess(parse(payload), run), text);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { problems: problems(error.problems, text) };
  }
}
