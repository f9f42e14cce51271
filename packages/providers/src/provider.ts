import type { EmbError, Profile } from "@emb/manifest";

/** Vectors of one call, in input order. */
export interface Embeddings {
  /** Row-major, `count` rows of `dims` finite float32; row i belongs to text i. Owned by the caller. */
  readonly dense: Float32Array;
  readonly count: number;
  readonly dims: number;
  /** Input tokens the provider counted; null when it does not say. */
  readonly tokens: number | null;
}

/** Sparse vectors of one call, in input order, as compressed rows: row i is `indices` and `values` from `offsets[i]` to `offsets[i + 1]`. */
export interface SparseEmbeddings {
  /** Term numbers of the model's vocabulary, rising within a row, no doubles. */
  readonly indices: Uint32Array;
  /** Weights, finite, one for each index. */
  readonly values: Float32Array;
  /** `count + 1` rising positions, the first 0. */
  readonly offsets: Uint32Array;
  readonly count: number;
  readonly tokens: number | null;
}

/** One vector for each token of each text: row-major `dims` float32; text i has the vectors `offsets[i]` to `offsets[i + 1]`. */
export interface MultiVectorEmbeddings {
  readonly vectors: Float32Array;
  /** `count + 1` rising positions, in vectors, the first 0. */
  readonly offsets: Uint32Array;
  readonly count: number;
  readonly dims: number;
  readonly tokens: number | null;
}

export interface EmbedOptions {
  readonly signal: AbortSignal;
  /**
   * For dense vectors. With it a text that is refused (EMB_TEXT_EMPTY, EMB_TEXT_TOO_LONG, EMB_PROVIDER_REJECTED) does not end the call: it is
   * told here, by its place among the call's texts, its row holds NaN, and every other text is embedded, once.
   */
  readonly setAside?: ((index: number, error: EmbError) => void) | undefined;
  /** For dense vectors: told of each part of the call that was answered, and so is paid for, also when the call fails after it. */
  readonly onAnswered?: ((texts: readonly string[], tokens: number | null) => void) | undefined;
}

/** Document and query side of one kind of vector. */
export interface Sides<E> {
  embedDocuments(texts: readonly string[], options: EmbedOptions): Promise<E>;
  embedQueries(texts: readonly string[], options: EmbedOptions): Promise<E>;
}

/**
 * A model that turns texts into vectors of one profile. One instance, one profile.
 *
 * Promises, each held by `providerContract`:
 * - one vector for each text, in input order, `dims` finite float32, never fewer, never more;
 * - L2 norm 1 within 1e-3 when the profile says `normalizedOutput`;
 * - a vector does not depend on its batch: alone, in a batch or beside longer texts, cosine >= 0.99999 (in-process models);
 * - a text is never truncated in silence: over `limits.maxInputTokens` it is EMB_TEXT_TOO_LONG, empty or blank EMB_TEXT_EMPTY,
 *   and nothing of that call is embedded, unless the caller asks to have such texts set aside;
 * - the profile's prompts and tasks are applied inside, so callers pass plain texts;
 * - an aborted signal ends the call with the signal's reason; the instance stays usable;
 * - calls may run concurrently; an empty list gives an empty answer.
 *
 * @throws EmbError EMB_TEXT_EMPTY, EMB_TEXT_TOO_LONG (context: `index`, `tokens`, `max_tokens`), EMB_PROVIDER_RESPONSE_INVALID,
 *   EMB_PROVIDER_UNAVAILABLE, EMB_PROVIDER_RATE_LIMITED, EMB_PROVIDER_REJECTED,
 *   EMB_PROVIDER_UNAUTHORIZED, EMB_PROVIDER_NOT_FOUND, EMB_MODEL_UNAVAILABLE; the signal's reason on abort
 */
export interface EmbeddingProvider extends Sides<Embeddings> {
  readonly profile: Profile;
  /** Present exactly when the profile's capabilities say so. Same promises. */
  readonly sparse?: Sides<SparseEmbeddings>;
  readonly multiVector?: Sides<MultiVectorEmbeddings>;
  /** Frees the model, threads and sockets. Safe to call twice. */
  close(): Promise<void>;
}
