/** What one profile gave to one query. */
export interface ShadowAnswer {
  readonly profile: string;
  readonly namespace: string;
  /** Each document once, best first; a higher score is closer. Empty when it failed. */
  readonly documents: readonly { readonly id: string; readonly score: number }[];
  /** Until it answered, failed or was given up. */
  readonly latencyMs: number;
}

/** A query that was answered by `baseline`, the profile that serves, and asked of `candidate` beside it. */
export interface ShadowRead {
  readonly base: string;
  /** As its asker wrote it. Nothing else in a store holds a query's text: it belongs in no log, metric or error. */
  readonly query: string;
  /** Results that were asked for. */
  readonly k: number;
  readonly baseline: ShadowAnswer;
  readonly candidate: ShadowAnswer;
  /** What became of the candidate's answer. */
  readonly outcome: "answered" | "failed" | "timeout";
}

export interface KeptShadowRead extends ShadowRead {
  /** Higher is newer. */
  readonly id: bigint;
  /** Database clock. */
  readonly at: Date;
}

/** What is kept of two profiles side by side. */
export interface ShadowCounts {
  readonly baseline: string;
  readonly candidate: string;
  readonly reads: number;
  /** Of them, those that the candidate answered. */
  readonly answered: number;
  readonly oldestAt: Date;
  readonly newestAt: Date;
}

/**
 * Queries of users, kept so that a candidate can be compared on them. Their number and age are bounded by whoever calls `prune`; a document that is
 * erased takes every read that lists it with it.
 */
export interface ShadowReads {
  /** @returns false when one of the documents was deleted since the answer was made: then nothing is kept. @throws EmbError EMB_DOCUMENT_INVALID for a NUL in the query */
  record(read: ShadowRead): Promise<boolean>;
  /** Newest first. */
  list(filter: { base: string; limit: number }): Promise<readonly KeptShadowRead[]>;
  /** Of a base, in order of baseline and candidate; empty when nothing is kept. */
  counts(base: string): Promise<readonly ShadowCounts[]>;
  /**
   * Up to `limit` different query texts of a base, however often each was asked. The same for the same seed and the same records; a record more or less
   * changes nothing about the others' order.
   */
  sampleQueries(sample: { base: string; limit: number; seed: number }): Promise<readonly string[]>;
  /** Removes all but the newest `keep` reads of a base, and those older than `maxAgeMs` (database clock). @returns how many */
  prune(bounds: { base: string; keep: number; maxAgeMs: number }): Promise<number>;
}
