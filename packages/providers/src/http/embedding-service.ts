import type { z } from "zod";
import type { Profile, Side } from "@emb/manifest";

/**
 * Number of a vector in the answer, counted from 0. The reader takes every vector out of the body, as base64 or as numbers,
 * and leaves its number in its place, so that a schema here sees a small document.
 */
export type Slot = number;

export interface ServiceCall {
  readonly profile: Profile;
  /** With the prompt of their side in front. 1 to `limits.maxBatchItems` of them. */
  readonly texts: readonly string[];
  readonly side: Side;
  /** Ask for base64 float32 where the service can. */
  readonly base64: boolean;
}

interface Answer {
  /** Tokens that the service counted; null when it does not say. */
  readonly tokens: number | null;
  /** The model that the service says it used; null when it names none. */
  readonly model: string | null;
}

/** `index` is the text's place in the request, from 0. Order, doubles and gaps are checked by the caller. */
export interface DenseAnswer extends Answer {
  readonly vectors: readonly { readonly index: number; readonly slot: Slot }[];
}

export interface SparseAnswer extends Answer {
  readonly vectors: readonly {
    readonly index: number;
    readonly indices: readonly number[];
    readonly values: readonly number[];
  }[];
}

export interface MultiVectorAnswer extends Answer {
  readonly vectors: readonly { readonly index: number; readonly slots: readonly Slot[] }[];
}

/** One endpoint: POST of a JSON document. */
export interface Endpoint<A> {
  /** Below the service's address, beginning with "/". */
  readonly path: string;
  /** What to send, for JSON.stringify. */
  body(call: ServiceCall): Readonly<Record<string, unknown>>;
  /** What is read of the answer; lenient about everything else in it. Vectors are slots, except in sparse answers. */
  readonly answer: z.ZodType<A>;
}

/**
 * What is particular to one embedding service. Batches, concurrency, retries, the breaker, checks and telemetry stand
 * around it, once. It is a plain description and does nothing by itself.
 *
 * A service never truncates in silence: where it would by default, `body` turns that off.
 */
export interface EmbeddingService {
  /** Address when neither the environment nor the manifest names one; null when there is no public service. No "/" at its end. */
  readonly publicUrl: string | null;
  /** The service's own bounds for one request. A profile's `limits` can only lower them. */
  readonly limits: { readonly maxBatchItems: number; readonly maxBatchTokens: number | null };
  /** `try`: asked for once, and remembered when the service refuses the parameter. A service may always answer with numbers. */
  readonly base64: "always" | "try" | "never";
  readonly dense: Endpoint<DenseAnswer>;
  readonly sparse?: Endpoint<SparseAnswer>;
  readonly multiVector?: Endpoint<MultiVectorAnswer>;
  /** GET that names the model which the service runs; asked before the first text, for answers that name none. */
  readonly modelInfo?: { readonly path: string; readonly answer: z.ZodType<{ readonly model: string }> };
  /** Whether the model named in an answer is the one asked for. Default: equal. */
  sameModel?(asked: string, named: string): boolean;
}
