import { EmbError, type Profile } from "@emb/manifest";
import type { Adapter } from "./adapter.js";
import { contradiction } from "./local-model.js";
import type { EmbeddingProvider, Embeddings, EmbedOptions } from "./provider.js";
import { textTooLong } from "./text-guards.js";
import { exactly, type Tokenizer } from "./tokenizer.js";
import { UseLiteThread } from "./use-lite-thread.js";
import { createUseLiteCounter, loadUseLiteVocabulary } from "./use-lite-tokenizer.js";

const DIMS = 512;
const MODEL_IDS: ReadonlySet<string> = new Set(["universal-sentence-encoder-lite", "use-lite", "use_lite"]);
/** 16 texts take 0.8 to 1.5 s on 2 cores; 32 are no faster, and an abort waits for the batch to end. */
const MAX_BATCH_ITEMS = 16;

/** Universal Sentence Encoder lite, from npm packages, in a worker thread. English. */
async function createProvider(profile: Profile): Promise<EmbeddingProvider> {
  checkProfile(profile);
  const count = createUseLiteCounter(await loadUseLiteVocabulary());
  const thread = new UseLiteThread();
  await thread.start();
  const { dims, limits, prompts } = profile;
  const batchItems = Math.min(MAX_BATCH_ITEMS, limits.maxBatchItems ?? MAX_BATCH_ITEMS);

  const embed = async (plain: readonly string[], prompt: string, { signal }: EmbedOptions): Promise<Embeddings> => {
    const texts = plain.map((text) => prompt + text);
    let tokens = 0;
    for (const [index, text] of texts.entries()) {
      const length = count(text);
      if (length > limits.maxInputTokens) throw textTooLong(index, length, limits.maxInputTokens);
      tokens += length;
    }
    const dense = new Float32Array(texts.length * dims);
    for (let start = 0; start < texts.length; start += batchItems) {
      const batch = texts.slice(start, start + batchItems);
      const vectors = await thread.embed(batch, signal);
      if (vectors.length !== batch.length * dims) throw wrongLength(vectors.length, batch.length * dims);
      dense.set(vectors, start * dims);
    }
    if (profile.capabilities.normalizedOutput) normalizeRows(dense, dims);
    return { dense, count: texts.length, dims, tokens };
  };
  return {
    profile,
    embedDocuments: (texts, options) => embed(texts, prompts.document, options),
    embedQueries: (texts, options) => embed(texts, prompts.query, options),
    close: () => thread.close(),
  };
}

async function createTokenizer(profile: Profile): Promise<Tokenizer> {
  checkProfile(profile);
  const count = createUseLiteCounter(await loadUseLiteVocabulary());
  const prompt = profile.prompts.document;
  return { countTokens: (text) => exactly(count(prompt + text)) };
}

export const useLite: Adapter = { createProvider, createTokenizer };

const wrongLength = (seen: number, want: number): EmbError =>
  new EmbError("EMB_PROVIDER_RESPONSE_INVALID", `The use-lite model gave ${seen} numbers, ${want} expected.`, {
    hint: "Install the versions of @energetic-ai/* that @emb/providers names.",
  });

function checkProfile(profile: Profile): void {
  if (!MODEL_IDS.has(profile.modelId)) {
    const problem = `says model_id "${profile.modelId}", the use-lite provider has one model`;
    throw contradiction(profile, problem, "Set model_id: universal-sentence-encoder-lite.");
  }
  if (profile.dims !== DIMS) {
    throw contradiction(profile, `says dims ${profile.dims}, the model has ${DIMS}`, `Set dims: ${DIMS}.`);
  }
}

/** Rows of length 1. The model's own are within 1e-6 of it, but nothing promises that. */
function normalizeRows(dense: Float32Array, dims: number): void {
  for (let start = 0; start < dense.length; start += dims) {
    let sum = 0;
    for (let i = start; i < start + dims; i++) sum += dense[i]! * dense[i]!;
    const norm = Math.sqrt(sum);
    for (let i = start; i < start + dims; i++) dense[i]! /= norm;
  }
}
