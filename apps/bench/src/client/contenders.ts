import { z } from "zod";
import type { Profile } from "@emb/manifest";
import { BATCH, CONCURRENCY, inBatches, jsonByHand, limitByHand } from "./by-hand.js";
import { DIMS, MODEL } from "./texts.js";

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

/** With every check, metric and label that a service has. */
async function emb(url: URL): Promise<Embed> {
  const { parseManifest } = await import("@emb/manifest");
  const { createProvider } = await import("@emb/providers");
  const { createEmbeddingTelemetry } = await import("@emb/providers/telemetry");
  const { MeterProvider } = await import("@opentelemetry/sdk-metrics");
  const { PrometheusExporter } = await import("@opentelemetry/exporter-prometheus");
  const reading = parseManifest(MANIFEST, { file: "bench.yaml" });
  const profile: Profile | undefined = reading.ok ? reading.manifest.profiles.get("bench") : undefined;
  if (profile === undefined) throw new Error("the benchmark's manifest is not valid");
  const meters = new MeterProvider({ readers: [new PrometheusExporter({ preventServerStart: true })] });
  const openTelemetry = createEmbeddingTelemetry({
    meter: meters.getMeter("bench"),
    tracer: null,
    environment: "bench",
    nowMs: () => performance.now(),
    epochMs: () => Date.now(),
  });
  const { observer } = openTelemetry({
    profile,
    namespace: "docs_bench",
    namespaceMode: "profile",
    strictMode: true,
    swappable: false,
    experiment: null,
  });
  const env = { OPENAI_COMPATIBLE_URL: url.href };
  const provider = await createProvider(profile, { env, dataDir: "unused", observer });
  const { signal } = new AbortController();
  return async (texts) => (await provider.embedDocuments(texts, { signal })).dense;
}

const MANIFEST = `
profiles:
  bench:
    provider: openai-compatible
    model_id: ${MODEL}
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: tiktoken, model_id: cl100k_base }
    capabilities: { supports_dense: true, normalized_output: true }
    limits: { max_input_tokens: 8192, max_batch_items: ${BATCH} }
`;
