// Which versions run here, and whether the server has newer ones.

import { EDITION } from "./made/edition.js";

const PATIENCE = 10_000;

/** Models of which the server has a later version, and those it has and this edition lacks. */
export function compare(here, there) {
  const older = [];
  for (const [model, version] of Object.entries(here))
    if (there[model] && later(there[model], version))
      older.push({ model, here: version, there: there[model] });
  return { older, lacking: Object.keys(there).filter((model) => !(model in here)) };
}

/** Whether a version is later: number by number. */
export function later(a, b) {
  const [x, y] = [a, b].map((version) => version.split(/[.\-+]/).map(Number));
  for (let at = 0; at < Math.max(x.length, y.length); at++) {
    const difference = (x[at] || 0) - (y[at] || 0);
    if (difference) return difference > 0;
  }
  return false;
}

/** Ask the server; null if it does not answer. */
export async function serverVersions(server = EDITION.server, key = "") {
  try {
    const answer = await fetch(`${server}/v1/models`, {
      headers: key ? { authorization: `Bearer ${key}` } : {}, cache: "no-store",
      credentials: "omit", signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) return null;
    const { models } = await answer.json();
    return Object.fromEntries(
      models.filter((m) => !m.off && !m.demonstration).map((m) => [m.model, m.version]));
  } catch {
    return null;
  }
}
