import type { NamespaceRecord, Run } from "@emb/store";

/** A namespace as the catalogue has it, for decisions that read little of it. */
export const namespaceOf = (change: Partial<NamespaceRecord> = {}): NamespaceRecord => ({
  id: 7,
  base: "docs",
  suffix: "old",
  mode: "profile",
  namespace: "docs_old",
  state: "ready",
  createdAt: new Date(0),
  seal: {
    spaceId: "s".repeat(64),
    fingerprint: "f".repeat(64),
    chunkerId: "c",
    profile: "old",
    provider: "p",
    modelId: "m",
    dims: 8,
    similarity: "cosine",
    storage: "vector",
    witness: [],
  },
  ...change,
});

/** A run that did nothing yet. */
export const runOf = (change: Partial<Run> = {}): Run => ({
  id: "run",
  base: "docs",
  namespaceId: 7,
  namespace: "docs_old",
  profile: "old",
  source: "folder:/docs",
  state: "ready",
  reason: "",
  version: 1n,
  partial: false,
  acceptFailures: 0,
  intakeDone: true,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  documentsTotal: 0,
  documentsPending: 0,
  counters: { documents: 0, chunks: 0, embedded: 0, skipped: 0, failed: 0, tokens: 0 },
  failures: 0,
  spend: { tokens: 0, costUsd: 0, reserved: { tokens: 0, costUsd: 0 }, maxCostUsd: null },
  shards: { total: 0, done: 0 },
  ...change,
});
