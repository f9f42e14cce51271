import { z } from "zod";
import type {
  DenseAnswer,
  EmbeddingService,
  MultiVectorAnswer,
  ServiceCall,
  SparseAnswer,
} from "../http/embedding-service.js";
import { OpenAiUsage, readUsage, Slot, TextIndex } from "./openai-answer.js";

// The protocol is ours: emb's own words for what BGE-M3 gives, over OpenAI's. docs/design.md section 6.

const request = ({ profile, texts }: ServiceCall) => ({ model: profile.modelId, input: texts });

/** `data` stands in input order; a server that numbers its items is held to its numbers. */
const Item = z.object({ index: TextIndex.nullish() });

const Dense: z.ZodType<DenseAnswer> = OpenAiUsage.extend({
  data: z.array(Item.extend({ embedding: Slot })),
}).transform(({ data, ...rest }) => ({
  ...readUsage(rest),
  vectors: data.map(({ index, embedding }, position) => ({ index: index ?? position, slot: embedding })),
}));

const Sparse: z.ZodType<SparseAnswer> = OpenAiUsage.extend({
  data: z.array(
    Item.extend({ indices: z.array(z.uint32()), values: z.array(z.number()) }).refine(
      ({ indices, values }) => indices.length === values.length,
      "as many values as indices",
    ),
  ),
}).transform(({ data, ...rest }) => ({
  ...readUsage(rest),
  vectors: data.map(({ index, indices, values }, position) => ({ index: index ?? position, indices, values })),
}));

const MultiVector: z.ZodType<MultiVectorAnswer> = OpenAiUsage.extend({
  data: z.array(Item.extend({ vectors: z.array(Slot) })),
}).transform(({ data, ...rest }) => ({
  ...readUsage(rest),
  vectors: data.map(({ index, vectors }, position) => ({ index: index ?? position, slots: vectors })),
}));

/** BGE-M3 behind a server of your own. Its address stands before /v1. The server must refuse texts that it would cut. */
export const bgeM3Service: EmbeddingService = {
  publicUrl: null,
  // Our choice: how many long texts a GPU takes at once is the profile's to say.
  limits: { maxBatchItems: 64, maxBatchTokens: null },
  base64: "try",
  dense: {
    path: "/v1/embeddings",
    body: (call) => ({ ...request(call), ...(call.base64 && { encoding_format: "base64" }) }),
    answer: Dense,
  },
  sparse: { path: "/v1/embeddings/sparse", body: request, answer: Sparse },
  multiVector: { path: "/v1/embeddings/colbert", body: request, answer: MultiVector },
};
