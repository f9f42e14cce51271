/** In the order of a run's life. @emb/ingest `run-state.ts` says what each means and alone decides which may follow which. */
export const RUN_STATES = [
  "plan",
  "fill",
  "index",
  "verify",
  "ready",
  "failed",
  "paused",
  "aborted",
  "rolled_back",
  "retired",
] as const;

export type RunState = (typeof RUN_STATES)[number];

export interface ShardCounters {
  readonly documents: number;
  readonly chunks: number;
  readonly embedded: number;
  /** Chunks whose vector was there already. */
  readonly skipped: number;
  readonly failed: number;
  readonly tokens: number;
}

/** Tokens given to a model and what they cost in USD; null: the profile has no price, which is not 0. */
export interface Spend {
  readonly tokens: number;
  readonly costUsd: number | null;
}

/** What a run took so far, whether or not anything of it was committed. */
export interface RunSpend extends Spend {
  /** Set apart for calls that have not been answered yet, or whose process died before it could say: counted against the limit. */
  readonly reserved: { readonly tokens: number; readonly costUsd: number };
  /** null: no limit. */
  readonly maxCostUsd: number | null;
}

/** A document or chunk that was set aside, so that nothing is lost without a name. */
export interface TextFailure {
  readonly documentId: string;
  /** null: the whole document. */
  readonly ordinal: number | null;
  readonly code: string;
  /** Says what was expected and seen; never the text. */
  readonly reason: string;
}

export interface Run {
  readonly id: string;
  readonly base: string;
  readonly namespaceId: number;
  readonly namespace: string;
  readonly profile: string;
  readonly source: string;
  readonly state: RunState;
  /** Why it stands where it stands, for people; empty when there is nothing to say. */
  readonly reason: string;
  /** Drawn before the source was read. */
  readonly version: bigint;
  /** It fills the documents of its scope and no others. */
  readonly partial: boolean;
  /** Set-aside texts with which it may still become ready. */
  readonly acceptFailures: number;
  /** Intake is complete, so shards were cut; false: the source must be read (again) first. */
  readonly intakeDone: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Live documents to fill, known when intake is done. */
  readonly documentsTotal: number;
  /** Those of them that the namespace did not show when intake was done. */
  readonly documentsPending: number;
  /** Sum over its shards. */
  readonly counters: ShardCounters;
  readonly failures: number;
  readonly spend: RunSpend;
  readonly shards: { readonly total: number; readonly done: number };
}

export interface NewRun {
  readonly id: string;
  readonly base: string;
  readonly namespaceId: number;
  readonly profile: string;
  readonly source: string;
  readonly version: bigint;
  /** @defaultValue false */
  readonly partial?: boolean;
}

/** The right to write one shard, until it runs out or another holder takes a higher token. */
export interface Lease {
  readonly runId: string;
  readonly shard: number;
  readonly fencingToken: bigint;
  readonly leaseMs: number;
  /** Documents of the shard: ids > `after` (null: from the start) and <= `through` (null: to the end). */
  readonly after: string | null;
  readonly through: string | null;
  /** Documents up to this id are committed; null: none yet. */
  readonly cursor: string | null;
  /** The documents that the shard was cut of, in order; null: any of its stretch may be pending. */
  readonly documentIds: readonly string[] | null;
}

export interface Runs {
  create(run: NewRun): Promise<Run>;
  /** As `create`; null, and nothing is made, where another run of the namespace is in one of these states. Of many calls at once one makes its run. */
  createAlone(run: NewRun, unless: readonly RunState[]): Promise<Run | null>;
  get(id: string): Promise<Run | null>;
  /** One key is read: cheap enough for every batch. */
  state(id: string): Promise<RunState | null>;
  /** Newest first. */
  list(filter?: { base?: string; states?: readonly RunState[] }): Promise<readonly Run[]>;
  /** Compare-and-set: false when the run was in none of `from`. */
  transition(id: string, step: { from: readonly RunState[]; to: RunState; reason?: string }): Promise<boolean>;
  /** Accepts so many set-aside texts, whoever brings the run to its end; stays until another number is set. */
  acceptFailures(id: string, texts: number): Promise<void>;
  /** Adds documents to what a partial run fills. Naming one twice changes nothing. */
  addToScope(id: string, documentIds: readonly string[]): Promise<void>;
  /**
   * Cuts what is pending in the run's namespace, of the base's live documents or of a partial run's scope, into shards of at most `documentsPerShard`
   * (fewer where that gives several workers something to do) and marks intake as done. Every id belongs to one shard; where nothing is pending there
   * is none. A partial run's shards name their documents, and so do those of a run in which few are pending. Idempotent: later calls change nothing.
   * @param options.wake also sends a wake-up for each shard, and at least one, in the same transaction. @defaultValue false
   */
  cutShards(
    id: string,
    documentsPerShard: number,
    options?: { wake?: boolean },
  ): Promise<{ shards: number; documents: number }>;
  /** A free shard, or one whose lease ran out (database clock), with a new and higher fencing token; null when none is free. */
  claimShard(id: string, claim: { owner: string; leaseMs: number }): Promise<Lease | null>;
  /** Extends the lease. @throws EmbError EMB_LEASE_LOST */
  renew(lease: Lease): Promise<void>;
  /** Gives the shard back unfinished. A lost lease is not an error. */
  release(lease: Lease): Promise<void>;
  /** @throws EmbError EMB_LEASE_LOST */
  complete(lease: Lease): Promise<void>;
  /** The most that the run may cost from its start on; stays until another is set. */
  limitSpend(id: string, maxCostUsd: number): Promise<void>;
  /**
   * Sets apart what a call may cost at most, before it is made; the limit is checked in the same statement, so that any number of processes keep
   * to one. @returns null, or what the limit leaves when it does not reach, and then nothing is set apart
   */
  reserveSpend(id: string, atMost: { tokens: number; costUsd: number }): Promise<{ leftUsd: number } | null>;
  /** Adds what was spent, and gives back what was set apart for it. */
  settleSpend(id: string, settled: { spent: Spend; reserved?: { tokens: number; costUsd: number } }): Promise<void>;
  /** Same (document, ordinal) of one run: the later reason stands. */
  recordFailures(id: string, failures: readonly TextFailure[]): Promise<void>;
  failures(id: string, limit: number): Promise<readonly TextFailure[]>;
}
