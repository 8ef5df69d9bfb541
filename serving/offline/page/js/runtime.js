// Runs the trained models: the graphs of the bundles, verified, in onnxruntime compiled to WASM.

import { MODELS } from "./made/models.js";

const ORT = new URL("../ort/ort.mjs", import.meta.url);
const WASM = new URL("../ort/ort.wasm.packed", import.meta.url);
const TOLERANCE = 1e-6;

const sessions = new Map();
let runtime = null;

/** Content of a compressed file of the edition. */
async function unpacked(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${new URL(address).pathname} is not there`);
  const stream = answer.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function ort() {
  runtime ??= (async () => {
    const found = await import(ORT);
    const { env } = found;
    env.wasm.numThreads = 1;
    env.wasm.wasmBinary = await unpacked(WASM);
    env.logLevel = "error";
    return found;
  })();
  return runtime;
}

/** Probability and contributions of one row of a trained model. */
export async function run(model, x) {
  const { Tensor } = await ort();
  const session = await sessionOf(model);
  const feed = { x: new Tensor("float32", Float32Array.from(x), [1, x.length]) };
  const { probability, contributions } = await session.run(feed);
  return {
    probability: Number(probability.data[0]),
    contributions: Array.from(contributions.data, Number),
  };
}

/** Load every trained model and replay its known answers; fails if one is damaged. */
export async function loadAll() {
  for (const model of MODELS.filter((each) => each.kind === "trained")) await sessionOf(model);
}

function sessionOf(model) {
  if (!sessions.has(model.id)) sessions.set(model.id, load(model));
  return sessions.get(model.id);
}

async function load(model) {
  const { InferenceSession } = await ort();
  const bytes = await unpacked(new URL(`../${model.file}`, import.meta.url));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== model.graph) throw new Error(`${model.id}: the graph is not the released one`);
  const session = await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  await replay(model, session);
  return session;
}

/** Refuse a graph that does not reproduce the known answers of its bundle. */
async function replay(model, session) {
  const { Tensor } = await ort();
  const rows = model.cases.map(([x]) => x);
  const flat = Float32Array.from(rows.flat());
  const feed = { x: new Tensor("float32", flat, [rows.length, rows[0].length]) };
  const { probability } = await session.run(feed);
  model.cases.forEach(([, expected], at) => {
    if (!(Math.abs(Number(probability.data[at]) - expected) <= TOLERANCE))
      throw new Error(`${model.id}: a known answer is not reproduced`);
  });
}
