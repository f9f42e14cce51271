import { z } from "zod";
import { BATCH, CONCURRENCY, inBatches, jsonByHand, limitByHand } from "./by-hand.js";
import { MODEL } from "./texts.js";

/** Rows in input order: one matrix, or a list of lists as the peers give them. */
export type Vectors = Float32Array | readonly (readonly number[])[];
export type Embed = (texts: readonly string[]) => Promise<Vectors>;

export const Contender = z.enum(["limit", "emb", "openai", "langchain", "ai-sdk", "json", "emb-floats"]);
export type Contender = z.infer<typeof Contender>;

/** Each loads only what it needs, so that its memory is its own. */
export const CONTENDERS: Readonly<Record<Contender, (url: URL) => Promise<Embed>>> = {
  limit: async (url) => limitByHand(url),
  json: async (url) => jsonByHand(url),
  emb: async (url) => emb(url),
  "emb-floats": async (url) => emb(url),
  openai: async (url) => {
    const { default: OpenAI } = await import("openai");
    const client = new OpenAI({ apiKey: "none", baseURL: url.href });
    return async (texts) => {
      const vectors = Array.from<number[]>({ length: texts.length });
      await inBatches(texts, async (input, start) => {
        const { data } = await client.embeddings.create({ model: MODEL, input });
        for (const { index, embedding } of data) vectors[start + index] = embedding;
      });
      return vectors;
    };
  },
  langchain: async (url) => {
    const { OpenAIEmbeddings } = await import("@langchain/openai");
    const embeddings = new OpenAIEmbeddings({
      model: MODEL,
      apiKey: "none",
      batchSize: BATCH,
      maxConcurrency: CONCURRENCY,
      stripNewLines: false,
      configuration: { baseURL: url.href },
    });
    return (texts) => embeddings.embedDocuments([...texts]);
  },
  "ai-sdk": async (url) => {
    const { embedMany, wrapEmbeddingModel } = await import("ai");
    const { createOpenAI } = await import("@ai-sdk/openai");
    const model = wrapEmbeddingModel({
      model: createOpenAI({ apiKey: "none", baseURL: url.href }).embedding(MODEL),
      middleware: { specificationVersion: "v3", overrideMaxEmbeddingsPerCall: () => BATCH },
    });
    return async (texts) => (await embedMany({ model, values: [...texts], maxParallelCalls: CONCURRENCY })).embeddings;
  },
};

async function emb(url: URL): Promise<Embed> {
  const { observedProvider } = await import("./observed-provider.js");
  const provider = await observedProvider(url, BATCH);
  const { signal } = new AbortController();
  return async (texts) => (await provider.embedDocuments(texts, { signal })).dense;
}
