import type { Profile } from "@emb/manifest";
import type { EmbeddingService } from "./embedding-service.js";

export interface BatchBounds {
  readonly maxItems: number;
  /** Null: tokens are not bounded. */
  readonly maxTokens: number | null;
}

/** A profile's limits lower the service's own, never raise them. */
export function batchBounds({ limits }: Profile, { limits: own }: EmbeddingService): BatchBounds {
  const tokens = [limits.maxBatchTokens, own.maxBatchTokens].filter((bound) => bound !== null);
  return {
    maxItems: Math.min(limits.maxBatchItems ?? Infinity, own.maxBatchItems),
    maxTokens: tokens.length === 0 ? null : Math.min(...tokens),
  };
}

/** What a model puts around a text, at most. */
export const SPECIAL_TOKENS = 4;

/** A text has no more tokens than bytes, but for what the model puts around it. */
export const maxTokens = (text: string): number => Buffer.byteLength(text) + SPECIAL_TOKENS;

/** Longest way to write one number of a vector in JSON: 17 digits, sign, point, exponent, comma and white space. */
const MAX_NUMBER_BYTES = 32;
/** For what stands around a vector: index, object and so on. */
const MAX_ITEM_BYTES = 1_024;
export const MAX_ENVELOPE_BYTES = 64 * 1_024;
/** A sparse vector may have far more terms than its text has tokens; so many are always taken. */
const MIN_SPARSE_TERMS = 4_096;
/** Multi-vector answers are large: a batch is cut so that one stays below this. */
const MULTI_VECTOR_ANSWER_BYTES = 64 * 1_024 * 1_024;

export const denseBytes = (dims: number) => (): number => dims * MAX_NUMBER_BYTES;
export const sparseBytes = (text: string): number =>
  Math.max(MIN_SPARSE_TERMS, 4 * maxTokens(text)) * 2 * MAX_NUMBER_BYTES;
export const multiVectorBytes =
  (dims: number) =>
  (text: string): number =>
    maxTokens(text) * dims * MAX_NUMBER_BYTES;

export const multiVectorBounds = ({ maxItems, maxTokens: tokens }: BatchBounds, dims: number): BatchBounds => ({
  maxItems,
  maxTokens: Math.min(tokens ?? Infinity, Math.ceil(MULTI_VECTOR_ANSWER_BYTES / (dims * MAX_NUMBER_BYTES))),
});

/** No right answer for these texts is longer, so that nothing else is read to its end. */
export const answerBytes = (texts: readonly string[], vectorBytes: (text: string) => number): number =>
  texts.reduce((sum, text) => sum + MAX_ITEM_BYTES + vectorBytes(text), MAX_ENVELOPE_BYTES);
