import type { EmbeddingService } from "../http/embedding-service.js";
import { OpenAiAnswer } from "./openai-answer.js";
import { takesDimensions } from "./openai.js";

/**
 * A server that speaks OpenAI's protocol: vLLM, llama.cpp, LiteLLM, `emb serve-model` and many more. Its address includes
 * /v1 where the server has it. The protocol has no word against truncation: servers of this kind refuse long texts or are
 * set to; the profile's own `max_input_tokens` is checked before anything is sent.
 */
export const openaiCompatible: EmbeddingService = {
  publicUrl: null,
  // Our choice: enough for a fast server, and a slow one still answers in time. What yours takes stands in the profile.
  limits: { maxBatchItems: 256, maxBatchTokens: null },
  base64: "try",
  dense: {
    path: "/embeddings",
    body: ({ profile, texts, base64 }) => ({
      model: profile.modelId,
      input: texts,
      // A gateway in front of OpenAI passes it on. A model of another name is never shortened: who knows how.
      ...(takesDimensions(profile.modelId) && { dimensions: profile.dims }),
      ...(base64 && { encoding_format: "base64" }),
    }),
    answer: OpenAiAnswer,
  },
};
