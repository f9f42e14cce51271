import type { Side } from "@emb/manifest";
import type { EmbeddingService } from "../http/embedding-service.js";
import { OpenAiAnswer } from "./openai-answer.js";

// Source of everything here unless said otherwise: api.jina.ai/openapi.json and jina.ai/embeddings, read 2026-11.

/** Models whose vectors may be shortened, and that are told on which side of a search a text stands. */
const SHORTENABLE = /^jina-(embeddings-v[345]|clip-v2)/;
const SIDED = /^jina-embeddings-v[345]/;

const TASKS: Record<Side, string> = { query: "retrieval.query", document: "retrieval.passage" };

/** Jina AI. Its address includes /v1. */
export const jinaAi: EmbeddingService = {
  publicUrl: "https://api.jina.ai/v1",
  // The pages name no bound for one request; 512 texts are our choice. Requests and tokens a minute are the profile's.
  limits: { maxBatchItems: 512, maxBatchTokens: null },
  base64: "always",
  dense: {
    path: "/embeddings",
    body({ profile, texts, side, base64 }) {
      const task = profile.tasks[side] ?? (SIDED.test(profile.modelId) ? TASKS[side] : null);
      return {
        model: profile.modelId,
        input: texts,
        ...(task !== null && { task }),
        ...(SHORTENABLE.test(profile.modelId) && { dimensions: profile.dims }),
        normalized: profile.capabilities.normalizedOutput,
        late_chunking: false, // joins all texts of a request: a vector would depend on its neighbours
        truncate: false, // a longer text is an error
        embedding_type: base64 ? "base64" : "float", // base64 of float32, little-endian
      };
    },
    answer: OpenAiAnswer,
  },
};
