import type { EmbeddingService } from "../http/embedding-service.js";
import { OpenAiAnswer } from "./openai-answer.js";

// Source of everything here: docs.voyageai.com/reference/embeddings-api and /docs/embeddings, read 2026-11.

/** "voyage-4-large, voyage-4, voyage-4-lite, voyage-3-large, voyage-3.5, voyage-3.5-lite and voyage-code-3": 256 to 2,048 dims. */
const SHORTENABLE: ReadonlySet<string> = new Set([
  "voyage-4-large",
  "voyage-4",
  "voyage-4-lite",
  "voyage-3-large",
  "voyage-3.5",
  "voyage-3.5-lite",
  "voyage-code-3",
]);

/** Voyage AI. Its address includes /v1. */
export const voyage: EmbeddingService = {
  publicUrl: "https://api.voyageai.com/v1",
  // 1M tokens for the lite models, 320K for voyage-4 and voyage-3.5, 120K for the others: the least holds for all.
  limits: { maxBatchItems: 1_000, maxBatchTokens: 120_000 },
  base64: "always",
  dense: {
    path: "/embeddings",
    body: ({ profile, texts, side, base64 }) => ({
      model: profile.modelId,
      input: texts,
      input_type: profile.tasks[side] ?? side, // its words for the sides are ours; it puts a prompt in front
      ...(SHORTENABLE.has(profile.modelId) && { output_dimension: profile.dims }),
      output_dtype: "float",
      truncation: false, // true by default
      ...(base64 && { encoding_format: "base64" }), // of float32, little-endian; numbers are asked for by leaving it out
    }),
    answer: OpenAiAnswer,
  },
};
