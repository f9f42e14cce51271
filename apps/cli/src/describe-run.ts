import type { Run } from "@emb/store";

/** A run as --json shows it. */
export const describeRun = (run: Run) => ({
  run_id: run.id,
  profile: run.profile,
  namespace: run.namespace,
  state: run.state,
  reason: run.reason,
  source: run.source,
  created_at: run.createdAt.toISOString(),
  updated_at: run.updatedAt.toISOString(),
  progress: {
    documents: run.state === "ready" ? run.documentsTotal : run.counters.documents, // a ready run passed over what was there
    documents_total: run.documentsTotal,
    chunks: run.counters.chunks,
    embedded: run.counters.embedded,
    failed: run.failures,
    shards: run.shards.total,
    shards_done: run.shards.done,
  },
  spend: {
    tokens: run.spend.tokens,
    cost_usd: run.spend.costUsd,
    reserved_tokens: run.spend.reserved.tokens,
    max_cost_usd: run.spend.maxCostUsd,
  },
});
