import { setImmediate as nextTurn } from "node:timers/promises";
import type { Profile } from "@emb/manifest";
import type { Adapter, ProviderOptions } from "./adapter.js";
import { contradiction, locateModel } from "./local-model.js";
import { planPaddedBatches } from "./padded-batches.js";
import type { EmbeddingProvider, Embeddings, EmbedOptions } from "./provider.js";
import { openSentenceEncoder, type Pooling } from "./sentence-encoder.js";
import { createTokenEncoder, type TokenEncoder } from "./token-encoder.js";
import { textTooLong, textWithoutTokens } from "./text-guards.js";
import { exactly, type Tokenizer } from "./tokenizer.js";

/**
 * ONNX Runtime computes on the calling thread, so this is also how long a batch blocks it: about 0.1 s on 2 cores.
 * Measured with all-MiniLM-L6-v2: 400 to 1,000 padded tokens are fastest, 6,000 cost a quarter of the speed.
 */
const MAX_PADDED_TOKENS = 1_024;
/** For profiles that do not say. Measured with all-MiniLM-L6-v2: larger batches gain nothing. */
const MAX_BATCH_ITEMS = 32;

/** Sentence models in this process. Tokens are counted exactly; `profile.limits.maxBatchItems` bounds a batch. */
async function createProvider(profile: Profile, options: ProviderOptions): Promise<EmbeddingProvider> {
  const pooling = poolingOf(profile);
  const model = await locateModel(profile, options);
  const tokens = await createTokenEncoder(model.tokenizerJson);
  const encoder = await openSentenceEncoder(await model.loadOnnx(), {
    dims: profile.dims,
    pooling,
    normalize: profile.capabilities.normalizedOutput,
  });
  const { dims, limits, prompts } = profile;
  const bounds = {
    maxItems: limits.maxBatchItems ?? MAX_BATCH_ITEMS,
    maxPaddedTokens: Math.min(MAX_PADDED_TOKENS, limits.maxBatchTokens ?? Infinity),
  };

  const embed = async (texts: readonly string[], prompt: string, { signal }: EmbedOptions): Promise<Embeddings> => {
    const encoded = await encodeAll(texts, prompt, tokens, limits.maxInputTokens, signal);
    const lengths = encoded.map((ids) => ids.length);
    const dense = new Float32Array(texts.length * dims);
    for (const batch of planPaddedBatches(lengths, bounds)) {
      signal.throwIfAborted();
      const vectors = await encoder.run(batch.map((index) => encoded[index]!));
      for (const [row, index] of batch.entries()) {
        dense.set(vectors.subarray(row * dims, (row + 1) * dims), index * dims);
      }
      await nextTurn(); // lets timers, sockets and an abort through between two batches
    }
    signal.throwIfAborted();
    return { dense, count: texts.length, dims, tokens: lengths.reduce((sum, length) => sum + length, 0) };
  };
  let closing: Promise<void> | undefined;
  return {
    profile,
    embedDocuments: (texts, embedOptions) => embed(texts, prompts.document, embedOptions),
    embedQueries: (texts, embedOptions) => embed(texts, prompts.query, embedOptions),
    close: () => (closing ??= encoder.close()),
  };
}

async function createTokenizer(profile: Profile, options: ProviderOptions): Promise<Tokenizer> {
  const { tokenizerJson } = await locateModel(profile, options);
  const encoder = await createTokenEncoder(tokenizerJson);
  const prompt = profile.prompts.document;
  return { countTokens: (text) => exactly(encoder.count(prompt + text)) };
}

export const sentenceTransformers: Adapter = { createProvider, createTokenizer };

// Tokenizing is 1% of the time of a batch, so it is not overlapped with inference; it only must not hold the thread.
const TEXTS_PER_TURN = 256;

/** Token ids of every text. All are checked before the first is embedded. */
async function encodeAll(
  texts: readonly string[],
  prompt: string,
  encoder: TokenEncoder,
  maxInputTokens: number,
  signal: AbortSignal,
): Promise<number[][]> {
  const encoded: number[][] = [];
  for (const [index, text] of texts.entries()) {
    const ids = encoder.encode(prompt + text);
    if (ids.length > maxInputTokens) throw textTooLong(index, ids.length, maxInputTokens);
    if (ids.length === encoder.specialTokens) throw textWithoutTokens(index);
    encoded.push(ids);
    if (index % TEXTS_PER_TURN === TEXTS_PER_TURN - 1) {
      await nextTurn();
      signal.throwIfAborted();
    }
  }
  return encoded;
}

function poolingOf(profile: Profile): Pooling {
  const pooling = profile.pooling ?? "mean";
  if (pooling === "mean" || pooling === "cls") return pooling;
  throw contradiction(profile, `says pooling "${pooling}"`, "Set pooling to mean or cls.");
}
