import { z } from "zod";
import type { DenseAnswer, EmbeddingService, SparseAnswer } from "../http/embedding-service.js";
import { Slot } from "./openai-answer.js";

// Source of everything here: huggingface/text-embeddings-inference, docs/openapi.json, read 2026-11.

/** One vector for each text, in input order, and nothing else: `modelInfo` names the model. */
const Dense: z.ZodType<DenseAnswer> = z.array(Slot).transform((slots) => ({
  tokens: null,
  model: null,
  vectors: slots.map((slot, index) => ({ index, slot })),
}));

const Sparse: z.ZodType<SparseAnswer> = z
  .array(z.array(z.object({ index: z.uint32(), value: z.number() })))
  .transform((rows) => ({
    tokens: null,
    model: null,
    vectors: rows.map((row, index) => ({
      index,
      indices: row.map((term) => term.index),
      values: row.map((term) => term.value),
    })),
  }));

/** Hugging Face Text Embeddings Inference. One server runs one model; a profile names it as `--model-id` does. */
export const tei: EmbeddingService = {
  publicUrl: null,
  // --max-client-batch-size unless set; more is refused with 413. The server itself joins the texts of several requests.
  limits: { maxBatchItems: 32, maxBatchTokens: null },
  base64: "never",
  dense: {
    path: "/embed",
    body: ({ profile, texts }) => ({
      inputs: texts,
      normalize: profile.capabilities.normalizedOutput,
      truncate: false, // said even so, since --auto-truncate changes what silence means
    }),
    answer: Dense,
  },
  sparse: { path: "/embed_sparse", body: ({ texts }) => ({ inputs: texts, truncate: false }), answer: Sparse },
  modelInfo: {
    path: "/info",
    answer: z.object({ model_id: z.string() }).transform(({ model_id: model }) => ({ model })),
  },
};
