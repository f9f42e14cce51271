import { z } from "zod";
import type { DenseAnswer, EmbeddingService } from "../http/embedding-service.js";
import { counted, Slot } from "./openai-answer.js";

// Source of everything here: docs.ollama.com/api/embed and server/routes.go of ollama/ollama, read 2026-11.

const Answer: z.ZodType<DenseAnswer> = z
  .object({ model: z.string().nullish(), embeddings: z.array(Slot), prompt_eval_count: z.int().min(0).nullish() })
  .transform((answer) => ({
    tokens: counted(answer.prompt_eval_count),
    model: answer.model ?? null,
    vectors: answer.embeddings.map((slot, index) => ({ index, slot })),
  }));

/** A name without a tag means the tag `latest`. */
const tagged = (model: string): string => (model.includes(":") ? model : `${model}:latest`);

/** An Ollama server of yours. Its vectors have norm 1. */
export const ollama: EmbeddingService = {
  publicUrl: null,
  // No bound is documented. Our choice: the server embeds the texts of a request one beside the other, at its own pace.
  limits: { maxBatchItems: 32, maxBatchTokens: null },
  base64: "never",
  dense: {
    path: "/api/embed",
    body: ({ profile, texts }) => ({
      model: profile.modelId,
      input: texts,
      truncate: false, // true by default: the end of a long text would be dropped
      // `dimensions` is never sent: the server cuts the vectors of any model, trained for it or not.
    }),
    answer: Answer,
  },
  sameModel: (asked, named) => tagged(named) === tagged(asked),
};
