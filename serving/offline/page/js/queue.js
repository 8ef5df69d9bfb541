// Sends stored check-ups to the server: each until it is known to be there, and then never again.
//
// The server keeps a number of a device once and answers when it is on its disk, so that sending
// again after a lost answer does no harm. A check-up is marked as sent only after an answer that
// names its device, number and hash; anything else (no answer, an error, the page of a hotel's
// network) leaves it waiting.

import { hex } from "./vault.js";

const PATIENCE = 30_000; // milliseconds until an answer is given up
const REFUSED = new Set([400, 409, 413, 422]); // sending the same again would not help

const NOTHING = { sent: 0, refused: 0, damaged: 0, stopped: "" };

/** Send what waits. Returns how many were sent, refused or damaged, and what stopped it. */
export async function send(store, server, key, told = () => {}) {
  const only = (work) =>
    navigator.locks
      ? navigator.locks.request("cdss-queue", { ifAvailable: true }, (lock) =>
          lock ? work() : { ...NOTHING, stopped: "busy" })
      : work();
  return only(async () => {
    const result = { ...NOTHING };
    for (const { sequence, state } of await store.entries()) {
      if (state !== "waiting") continue;
      const answer = await post(store, sequence, server, key);
      if (answer.stopped) return { ...result, stopped: answer.stopped };
      await store.mark(sequence, answer.state, answer.problems);
      result[answer.state] += 1;
      told(result);
    }
    return result;
  });
}

async function post(store, sequence, server, key) {
  const content = await store.text(sequence).catch((error) => {
    if (error.code !== "damaged") throw error;
    return null;
  });
  if (content === null) return { state: "damaged", problems: [] };
  const hash = hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content)));
  const sent = { device: store.device, sequence, hash, content };
  const headers = { "content-type": "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
  let answer, said;
  try {
    answer = await fetch(`${server}/v1/records`, {
      method: "POST", headers, body: JSON.stringify(sent), cache: "no-store", redirect: "error",
      credentials: "omit", signal: AbortSignal.timeout(PATIENCE),
    });
    said = await answer.json();
  } catch {
    return { stopped: answer && !answer.ok ? stopOf(answer.status) : "no_answer" };
  }
  if (answer.ok) {
    const mine = said.device === sent.device && said.sequence === sequence && said.hash === hash;
    return mine ? { state: "sent", problems: said.problems ?? [] } : { stopped: "no_answer" };
  }
  if (REFUSED.has(answer.status) && Array.isArray(said.problems))
    return { state: "refused", problems: said.problems };
  return { stopped: stopOf(answer.status) };
}

const stopOf = (status) => ([401, 403].includes(status) ? "not_allowed" : "no_answer");
