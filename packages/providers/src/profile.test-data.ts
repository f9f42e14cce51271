import type { Limits, Profile } from "@emb/manifest";

/** A whole profile for tests, all-MiniLM-L6-v2 int8 except for what is given. */
export const profileOf = (changes: Partial<Omit<Profile, "limits">> & { limits?: Partial<Limits> } = {}): Profile => ({
  name: "st_minilm",
  description: "",
  provider: "sentence-transformers",
  modelId: "sentence-transformers/all-MiniLM-L6-v2",
  version: "all-MiniLM-L6-v2",
  revision: null,
  dims: 384,
  similarity: "cosine",
  storage: "vector",
  precision: "int8",
  pooling: "mean",
  task: null,
  tasks: { query: null, document: null },
  prompts: { query: "", document: "" },
  tokenizer: { backend: "huggingface", modelId: "sentence-transformers/all-MiniLM-L6-v2" },
  capabilities: {
    supportsDense: true,
    supportsSparse: false,
    supportsColbert: false,
    supportsLongSequences: false,
    normalizedOutput: true,
    multilingual: false,
  },
  requirements: [],
  serviceUrl: null,
  pricePerMillionTokens: 0,
  sunset: null,
  ...changes,
  limits: {
    maxInputTokens: 256,
    maxBatchItems: 32,
    maxBatchTokens: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    ...changes.limits,
  },
});

export const useLiteProfile = (changes: Parameters<typeof profileOf>[0] = {}): Profile =>
  profileOf({
    name: "use_lite",
    provider: "use-lite",
    modelId: "universal-sentence-encoder-lite",
    version: "universal-sentence-encoder-lite",
    dims: 512,
    precision: null,
    pooling: null,
    tokenizer: { backend: "sentencepiece", modelId: "universal-sentence-encoder-lite" },
    ...changes,
    limits: { maxInputTokens: 512, maxBatchItems: 16, ...changes.limits },
  });
