import { z } from "zod";
import type { DenseAnswer } from "../http/embedding-service.js";

/** Number that the reader left in the place of a vector. */
export const Slot = z.int().min(0);

/** Place of a text in its request. */
export const TextIndex = z.int().min(0);

/** A count of tokens. Blank texts never reach a service, so 0 is said by one that does not count. */
export const counted = (tokens: number | null | undefined): number | null => tokens || null;

/** What every service says in OpenAI's words: the model it used, the tokens it read. Either may be missing. */
export const OpenAiUsage = z.object({
  model: z.string().nullish(),
  // Voyage has only total_tokens. Source: docs.voyageai.com/reference/embeddings-api, read 2026-11.
  usage: z.object({ prompt_tokens: z.int().min(0).nullish(), total_tokens: z.int().min(0).nullish() }).nullish(),
});

export const readUsage = ({ model, usage }: z.output<typeof OpenAiUsage>) => ({
  tokens: counted(usage?.prompt_tokens ?? usage?.total_tokens),
  model: model ?? null,
});

/** `{data: [{index, embedding}], model, usage}`: the answer that OpenAI made, and others took over. */
export const OpenAiAnswer: z.ZodType<DenseAnswer> = OpenAiUsage.extend({
  data: z.array(z.object({ index: TextIndex, embedding: Slot })),
}).transform(({ data, ...rest }) => ({
  ...readUsage(rest),
  vectors: data.map(({ index, embedding }) => ({ index, slot: embedding })),
}));
