/** How close two vectors are. The store and the scores follow it; it says nothing about the vectors themselves. */
export type Similarity = "cosine" | "dot" | "euclidean";
/** Column type of a namespace: float32 or float16 components. */
export type Storage = "vector" | "halfvec";
export type NamespaceMode = "none" | "profile" | "version" | "model";
/** Which side of a search a text stands on: models may treat the two differently. */
export type Side = "query" | "document";

/**
 * One embedding profile, effective: aliases resolved, defaults filled in, keys in camelCase. Made only by `parseManifest`.
 * Two profiles make comparable vectors exactly when their `spaceId`s are equal; equal `dims` never mean that.
 */
export interface Profile {
  readonly name: string;
  readonly description: string;
  /** Canonical provider id, for example `sentence-transformers` for the alias `hf`. */
  readonly provider: string;
  readonly modelId: string;
  /** As written, else `modelId`. */
  readonly version: string;
  readonly revision: string | null;
  /** Components of one vector, 1 to 16,000. */
  readonly dims: number;
  readonly similarity: Similarity;
  /** As written, else `halfvec` for 2,001 to 4,000 dims and `vector` otherwise. */
  readonly storage: Storage;
  readonly precision: string | null;
  readonly pooling: string | null;
  readonly task: string | null;
  readonly tasks: Readonly<Record<Side, string | null>>;
  /** Put before each text of that side; empty when the model wants none. */
  readonly prompts: Readonly<Record<Side, string>>;
  readonly tokenizer: { readonly backend: string; readonly modelId: string };
  readonly capabilities: Capabilities;
  /** Names of environment variables that must be set when the profile is in use. */
  readonly requirements: readonly string[];
  readonly limits: Limits;
  readonly serviceUrl: string | null;
  /** USD; null is unknown, which is not 0. */
  readonly pricePerMillionTokens: number | null;
  /** ISO date on which the provider ends the model. */
  readonly sunset: string | null;
}

export interface Capabilities {
  readonly supportsDense: boolean;
  readonly supportsSparse: boolean;
  readonly supportsColbert: boolean;
  readonly supportsLongSequences: boolean;
  readonly normalizedOutput: boolean;
  readonly multilingual: boolean;
}

export interface Limits {
  /** Longest text the model reads, in tokens of the profile's tokenizer, special tokens and prompt included. */
  readonly maxInputTokens: number;
  /** Texts of one batch, at most; null is as many as the provider itself takes. */
  readonly maxBatchItems: number | null;
  readonly maxBatchTokens: number | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}
