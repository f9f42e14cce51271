import { z } from "zod";
import type { Side } from "@emb/manifest";
import type { DenseAnswer, EmbeddingService } from "../http/embedding-service.js";
import { counted, Slot } from "./openai-answer.js";

// Source of everything here: docs.cohere.com/reference/embed (v2) and its OpenAPI file, read 2026-11.

/** "Only available for embed-v4 and newer models." */
const SHORTENABLE = /^embed-v4\./;

const INPUT_TYPES: Record<Side, string> = { query: "search_query", document: "search_document" };

/** Vectors stand in input order under the type asked for. No model is named. */
const Answer: z.ZodType<DenseAnswer> = z
  .object({
    embeddings: z.union([
      z.object({ base64: z.array(Slot) }).transform(({ base64 }) => base64),
      z.object({ float: z.array(Slot) }).transform(({ float }) => float),
    ]),
    meta: z.object({ billed_units: z.object({ input_tokens: z.number().min(0).nullish() }).nullish() }).nullish(),
  })
  .transform(({ embeddings, meta }) => ({
    tokens: counted(meta?.billed_units?.input_tokens),
    model: null,
    vectors: embeddings.map((slot, index) => ({ index, slot })),
  }));

/** Cohere. */
export const cohere: EmbeddingService = {
  publicUrl: "https://api.cohere.com",
  limits: { maxBatchItems: 96, maxBatchTokens: null }, // "Maximum number of texts per call is 96."
  base64: "always",
  dense: {
    path: "/v2/embed",
    body: ({ profile, texts, side, base64 }) => ({
      model: profile.modelId,
      texts,
      input_type: profile.tasks[side] ?? INPUT_TYPES[side], // required from v3 on
      // "Each string is the result of appending the float embedding bytes together and base64 encoding that."
      embedding_types: [base64 ? "base64" : "float"],
      ...(SHORTENABLE.test(profile.modelId) && { output_dimension: profile.dims }),
      truncate: "NONE", // the default, END, cuts; NONE is an error
    }),
    answer: Answer,
  },
};
