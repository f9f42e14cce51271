import type { Manifest, NamespaceMode, Problem, Profile } from "@emb/manifest";
import type { ROLLOUT_METRICS } from "./environment-file.js";
import type { GateDecision } from "./override-gate.js";

/** Everything that one emb process is told from outside, checked. Immutable; read once at start. */
export interface Settings {
  /** Lower case. */
  readonly environment: string;
  /** True for development, dev and test: overrides need no permission. */
  readonly open: boolean;
  readonly baseline: string;
  /** EMBEDDINGS_PROFILE; null when unset. */
  readonly requested: string | null;
  readonly swappable: boolean;
  readonly experiment: string | null;
  /** The decision for the active profile. */
  readonly gate: GateDecision;
  /** The profile that the gate lets through; null when it refused. */
  readonly active: Profile | null;
  readonly manifest: Manifest;
  readonly namespaceMode: NamespaceMode;
  /** Where the mode was said: the variable, the environment's file, or nowhere. */
  readonly namespaceModeFrom: "variable" | "file" | "default";
  readonly strictMode: boolean;
  readonly paths: {
    readonly configDir: string;
    readonly environmentFile: string;
    readonly manifestFile: string;
    readonly dataDir: string;
    readonly modelsDir: string | null;
  };
  /** Null means the embedded database. May hold a password: never log it. */
  readonly databaseUrl: string | null;
  /** Null when QDRANT_URL is unset. `apiKey` is a secret: never log it. */
  readonly qdrant: { readonly url: string; readonly apiKey: string | null } | null;
  readonly store: {
    readonly kind: "postgres" | "qdrant";
    readonly baseNamespace: string;
    readonly schema: string;
    readonly queueSchema: string;
  };
  readonly query: {
    readonly host: string;
    readonly port: number;
    readonly topK: number;
    readonly maxTopK: number;
    readonly timeoutMs: number;
  };
  readonly ingest: {
    readonly maxDocumentBytes: number;
    /** Aim for the length of a chunk, in tokens of the target's tokenizer. */
    readonly chunkTokens: number;
    /** Rows of one transaction. */
    readonly commitRows: number;
    readonly shardDocuments: number;
    readonly leaseMs: number;
    /** Shards that one process fills at once. A model in process is given one: its threads are busy with that. */
    readonly concurrency: number;
    /** Where a worker answers /healthz, /readyz and /metrics; port 0 takes any free one. */
    readonly host: string;
    readonly port: number;
    /** A worker that is told to stop has this long to commit what is under way. */
    readonly stopMs: number;
    /** Sources whose changes a worker brings to every namespace of their base. */
    readonly watch: readonly {
      /** A path, from the folder of config files on, or a postgres:// address, which may hold a password. */
      readonly source: string;
      /** null: the base of the environment. */
      readonly base: string | null;
      readonly table: string | null;
      readonly query: string | null;
      readonly pollMs: number;
    }[];
  };
  readonly verify: {
    /** Percent of the expected chunks. */
    readonly maxDriftPct: number;
    /** Recall@10 of the index against exact search, 0 to 1. */
    readonly minRecall: number;
    readonly witnessMinCosine: number;
    readonly normTolerance: number;
    readonly sampleQueries: number;
  };
  readonly rollout: {
    /** The queries that decide: an absolute path, or `shadow` or `shadow:N` for recorded ones; null: none are named. */
    readonly queries: string | null;
    readonly metric: (typeof ROLLOUT_METRICS)[number];
    /** Documents of an answer that are looked at. */
    readonly k: number;
    /** How much worse a candidate may be, absolute. */
    readonly margin: number;
    /** How much better it must be, absolute; null: not asked. */
    readonly minEffect: number | null;
    readonly alpha: number;
    /** Field of a query's metadata; null: no slices. */
    readonly slice: string | null;
    readonly minSliceQueries: number;
    /** Most that a candidate may take; null: not asked. */
    readonly limits: {
      readonly maxP50Ms: number | null;
      readonly maxP95Ms: number | null;
      readonly maxP99Ms: number | null;
      /** Of the candidate's latency p95 to the baseline's. */
      readonly maxP95Ratio: number | null;
      readonly maxErrorPct: number | null;
      readonly maxUsdPer1000: number | null;
    };
    readonly shadow: {
      readonly profile: string;
      /** Of the queries that are answered. */
      readonly samplePct: number;
      /** Queries that the candidate is asked at once; what comes beside is dropped. */
      readonly maxInFlight: number;
      readonly timeoutMs: number;
    } | null;
    /** What is kept of recorded shadow reads, whether or not a shadow is configured now. */
    readonly shadowReads: { readonly keep: number; readonly keepDays: number };
    readonly canary: {
      readonly profile: string;
      readonly pct: number;
      readonly maxErrorPct: number;
      readonly maxLatencyRatio: number;
      readonly minOverlap: number;
    } | null;
  };
  /** Things that are odd but stop nothing, in the order found. */
  readonly warnings: readonly Problem[];
}
