import type { Profile } from "@emb/manifest";
import type { Run, RunState } from "@emb/store";
import type { IntakeReport } from "./intake.js";
import { costOf } from "./plan.js";
import type { Verification } from "./verify-namespace.js";

export interface ReingestReport {
  readonly runId: string;
  readonly namespace: string;
  readonly state: RunState;
  readonly reason: string;
  readonly resumed: boolean;
  readonly documents: number;
  readonly intake: IntakeReport | null;
  readonly chunks: {
    readonly total: number;
    readonly embedded: number;
    readonly skipped: number;
    readonly failed: number;
  };
  readonly tokens: number;
  /** null: the manifest has no price. */
  readonly costUsd: number | null;
  readonly seconds: number;
  readonly verification: Verification;
}

/** A run at its end, whatever its verification said. */
export interface EndedRun {
  readonly run: Run;
  readonly resumed: boolean;
  readonly intake: IntakeReport | null;
  readonly verification: Verification;
}

export function reportOf(
  { run, resumed, intake, verification }: EndedRun,
  { profile, seconds }: { profile: Pick<Profile, "pricePerMillionTokens">; seconds: number },
): ReingestReport {
  const { embedded, failed, tokens } = run.counters;
  const total = verification.found;
  return {
    runId: run.id,
    namespace: verification.namespace,
    state: run.state,
    reason: run.reason,
    resumed,
    documents: run.documentsTotal,
    intake,
    verification,
    tokens,
    chunks: { total, embedded, skipped: Math.max(total - embedded, 0), failed },
    costUsd: costOf(tokens, profile),
    seconds,
  };
}
