import { availableParallelism } from "node:os";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { EmbError } from "@emb/manifest";
import { loadPeer } from "./optional-peer.js";

export type Pooling = "mean" | "cls";

/** One ONNX model that turns token ids into sentence vectors. */
export interface SentenceEncoder {
  /** One vector for each list of token ids, in order, row-major. Blocks the thread while it computes. */
  run(batch: readonly (readonly number[])[]): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens a model with inputs `input_ids`, `attention_mask` and perhaps `token_type_ids`. When it has no output
 * `sentence_embedding`, its `last_hidden_state` is pooled here, and normalised when `normalize` says so.
 * @throws EmbError EMB_MODEL_UNAVAILABLE when ONNX Runtime cannot open it
 */
export async function openSentenceEncoder(
  model: Uint8Array | string,
  { dims, pooling, normalize }: { dims: number; pooling: Pooling; normalize: boolean },
): Promise<SentenceEncoder> {
  const runtime = await loadPeer("onnxruntime-node", () => import("onnxruntime-node"));
  const options: InferenceSession.SessionOptions = {
    intraOpNumThreads: availableParallelism(),
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    enableMemPattern: false, // patterns are kept for each shape, and batches have hundreds of shapes
    logSeverityLevel: 3, // warnings of the runtime would go to stderr
  };
  const session = await openSession(runtime, model, options);
  const wanted = new Set(session.inputNames);
  const output = ["sentence_embedding", "last_hidden_state"].find((name) => session.outputNames.includes(name));
  if (output === undefined) {
    await session.release();
    throw unusable(`it has the outputs ${session.outputNames.join(", ")}, not sentence_embedding or last_hidden_state`);
  }

  return {
    async run(batch) {
      const { ids, mask, shape } = pad(batch);
      const tensor = (data: BigInt64Array): Tensor => new runtime.Tensor("int64", data, shape);
      const inputs: Record<string, Tensor> = { input_ids: tensor(ids), attention_mask: tensor(mask) };
      if (wanted.has("token_type_ids")) inputs["token_type_ids"] = tensor(new BigInt64Array(ids.length));
      const data = (await session.run(inputs, [output]))[output]?.data;
      if (!(data instanceof Float32Array)) throw unusable(`its output ${output} is not float32`);
      if (output === "sentence_embedding") return data;
      return pool(data, batch, { sequence: shape[1]!, dims, pooling, normalize });
    },
    close: () => session.release(),
  };
}

const unusable = (why: string, cause?: unknown): EmbError =>
  new EmbError("EMB_MODEL_UNAVAILABLE", `ONNX Runtime cannot use the model: ${why}.`, {
    hint: "Use a sentence model exported for feature extraction.",
    cause,
  });

async function openSession(
  runtime: typeof import("onnxruntime-node"),
  model: Uint8Array | string,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  try {
    return await (typeof model === "string"
      ? runtime.InferenceSession.create(model, options)
      : runtime.InferenceSession.create(model, options));
  } catch (cause) {
    throw unusable("it does not open", cause);
  }
}

function pad(batch: readonly (readonly number[])[]) {
  const sequence = batch.reduce((longest, ids) => Math.max(longest, ids.length), 0);
  const ids = new BigInt64Array(batch.length * sequence); // id 0 where masked: any would do
  const mask = new BigInt64Array(ids.length);
  for (const [row, tokens] of batch.entries()) {
    for (let i = 0; i < tokens.length; i++) ids[row * sequence + i] = BigInt(tokens[i]!);
    mask.fill(1n, row * sequence, row * sequence + tokens.length);
  }
  return { ids, mask, shape: [batch.length, sequence] };
}

/** Sentence vectors from one hidden state for each token. */
export function pool(
  hidden: Float32Array,
  batch: readonly { readonly length: number }[],
  options: { sequence: number; dims: number; pooling: Pooling; normalize: boolean },
): Float32Array {
  const { sequence, dims, pooling, normalize } = options;
  const vectors = new Float32Array(batch.length * dims);
  for (const [row, tokens] of batch.entries()) {
    const count = pooling === "cls" ? 1 : tokens.length;
    const vector = new Float64Array(dims);
    for (let token = 0; token < count; token++) {
      const offset = (row * sequence + token) * dims;
      for (let d = 0; d < dims; d++) vector[d]! += hidden[offset + d]!;
    }
    const divisor = normalize ? Math.hypot(...vector) : count;
    for (let d = 0; d < dims; d++) vectors[row * dims + d] = vector[d]! / divisor;
  }
  return vectors;
}
