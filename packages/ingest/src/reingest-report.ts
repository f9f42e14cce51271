import type { Run, RunState, Spend } from "@emb/store";
import type { IntakeReport } from "./intake.js";
import type { Verification } from "./verify-namespace.js";

export interface ReingestReport {
  readonly runId: string;
  readonly namespace: string;
  readonly state: RunState;
  readonly reason: string;
  readonly resumed: boolean;
  readonly documents: number;
  readonly intake: IntakeReport | null;
  /** In the namespace at the end, and what the run did for them. */
  readonly chunks: {
    readonly total: number;
    readonly embedded: number;
    readonly skipped: number;
    readonly failed: number;
  };
  /** Of this run since its start, and of the one that was repaired before it. */
  readonly spend: Spend;
  readonly seconds: number;
  /** null: a worker verified it; the run's state and reason say how that ended, the audit log more. */
  readonly verification: Verification | null;
}

/** A run at its end, whatever its verification said. */
export interface EndedRun {
  readonly run: Run;
  readonly resumed: boolean;
  readonly intake: IntakeReport | null;
  readonly verification: Verification | null;
  /** Chunks in the namespace. */
  readonly found: number;
}

export function reportOf(
  { run, resumed, intake, verification, found }: EndedRun,
  { spend, seconds }: { spend: Spend; seconds: number },
): ReingestReport {
  const { embedded, failed } = run.counters;
  return {
    runId: run.id,
    namespace: run.namespace,
    state: run.state,
    reason: run.reason,
    resumed,
    documents: run.documentsTotal,
    intake,
    verification,
    chunks: { total: found, embedded, skipped: Math.max(found - embedded, 0), failed },
    spend: { tokens: spend.tokens, costUsd: spend.costUsd },
    seconds,
  };
}

/** An unknown part makes the sum unknown. */
export const sumOf = (a: Spend, b: Spend): Spend => ({
  tokens: a.tokens + b.tokens,
  costUsd: a.costUsd === null || b.costUsd === null ? null : a.costUsd + b.costUsd,
});
