import type { EmbeddingService } from "../http/embedding-service.js";
import { OpenAiAnswer } from "./openai-answer.js";

/**
 * Models that `dimensions` shortens; the others refuse it.
 * Source: developers.openai.com/api/reference/resources/embeddings, "dimensions", read 2026-11.
 */
export const takesDimensions = (modelId: string): boolean => modelId.startsWith("text-embedding-3-");

/** OpenAI. Its address includes /v1. Longer texts are refused with 400, never cut. */
export const openai: EmbeddingService = {
  publicUrl: "https://api.openai.com/v1",
  // Source: the same page, "input": arrays of 2,048 at most, 300,000 tokens summed over a request.
  limits: { maxBatchItems: 2_048, maxBatchTokens: 300_000 },
  base64: "always",
  dense: {
    path: "/embeddings",
    body: ({ profile, texts, base64 }) => ({
      model: profile.modelId,
      input: texts,
      ...(takesDimensions(profile.modelId) && { dimensions: profile.dims }),
      encoding_format: base64 ? "base64" : "float",
    }),
    answer: OpenAiAnswer,
  },
  // Answers of text-embedding-ada-002 name it so. Source: answers recorded in public issues of clients, read 2026-11.
  sameModel: (asked, named) =>
    named === asked || (asked === "text-embedding-ada-002" && named === "text-embedding-ada-002-v2"),
};
