/** What a setting is when no file and no variable says otherwise. The one place that states it: schemas read it from here. */
export const DEFAULTS = {
  environment: "development",
  embedding: { namespaceMode: "profile", strictMode: true },
  store: { kind: "postgres", baseNamespace: "docs", schema: "emb", queueSchema: "emb_boss" },
  query: { host: "127.0.0.1", port: 8080, topK: 10, maxTopK: 100, timeoutMs: 10_000 },
  ingest: {
    maxDocumentBytes: 10 * 1024 * 1024,
    chunkTokens: 200,
    // One transaction: large enough for COPY to pay off, small enough to repeat after a kill.
    commitRows: 500,
    shardDocuments: 5_000,
    leaseMs: 60_000,
    // A shard keeps a few calls of its own under way; more shards fill the waits of a distant service.
    concurrency: 2,
    host: "127.0.0.1",
    port: 8081,
    stopMs: 20_000,
    // A folder tells of its changes by itself; this is for what it does not tell, and for databases.
    watch: { pollMs: 60_000 },
  },
  verify: { maxDriftPct: 0, minRecall: 0.95, witnessMinCosine: 0.999, normTolerance: 1e-3, sampleQueries: 20 },
  rollout: {
    metric: "ndcg",
    k: 10,
    margin: 0.01,
    alpha: 0.05,
    minSliceQueries: 20,
    shadow: { samplePct: 10, maxInFlight: 4, timeoutMs: 5_000 },
    // They hold what users asked: enough to compare by, and no longer than that takes.
    shadowReads: { keep: 10_000, keepDays: 14 },
    canary: { pct: 5, maxErrorPct: 1, maxLatencyRatio: 1.5, minOverlap: 0.5 },
  },
} as const;

/** Name of the manifest inside a config folder. */
export const MANIFEST_FILE = "embedding_profiles.yaml";
