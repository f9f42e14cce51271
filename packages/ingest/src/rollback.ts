import type { NamespaceRecord, Run, Store } from "@emb/store";
import { queueWhatRunsLeft } from "./ended-runs.js";
import { statesBefore, UNFINISHED } from "./run-state.js";

export type RollbackDecision =
  | { readonly ok: true; readonly to: NamespaceRecord; readonly endRuns: readonly Run[] }
  | { readonly ok: false; readonly reasons: readonly string[] };

/**
 * Whether the namespace of `to` can serve again at once. Pure. Fails closed: a namespace that is missing, not verified, sealed for another
 * space, or behind the system of record is refused with the reason.
 */
export function decideRollback(input: {
  to: string;
  /** Namespace of `to` in the current mode; null: there is none. */
  record: NamespaceRecord | null;
  expectedFingerprint: string;
  /** Documents it does not show as they are now. */
  lag: number;
  acceptStale: boolean;
  /** Runs of the base. */
  runs: readonly Run[];
}): RollbackDecision {
  const { to, record, expectedFingerprint, lag, acceptStale, runs } = input;
  if (record === null)
    return { ok: false, reasons: [`profile ${to} has no namespace here: expected one in state ready`] };
  const reasons: string[] = [];
  if (record.state !== "ready")
    reasons.push(`namespace ${record.namespace}: expected state ready, seen ${record.state}`);
  if (record.seal.fingerprint !== expectedFingerprint)
    reasons.push(
      `namespace ${record.namespace}: expected fingerprint ${expectedFingerprint.slice(0, 12)}, seen ${record.seal.fingerprint.slice(0, 12)}`,
    );
  if (lag > 0 && !acceptStale)
    reasons.push(`namespace ${record.namespace}: expected lag 0, seen ${lag} documents not yet as they are now`);
  if (reasons.length > 0) return { ok: false, reasons };
  const endRuns = runs.filter((run) => UNFINISHED.includes(run.state) && run.namespaceId !== record.id);
  return { ok: true, to: record, endRuns };
}

/** Ends the fills of every other namespace, keeps their tables, and writes the audit row. Embeds nothing and edits no file. */
export async function rollBack(
  store: Pick<Store, "runs" | "audit" | "changes" | "namespaces">,
  rollback: { decision: Extract<RollbackDecision, { ok: true }>; from: string; actor: string },
): Promise<void> {
  const { decision, from, actor } = rollback;
  const to = decision.to.seal.profile;
  for (const run of decision.endRuns)
    await store.runs.transition(run.id, {
      from: statesBefore("rolled_back"),
      to: "rolled_back",
      reason: `rolled back to ${to}`,
    });
  await queueWhatRunsLeft(store, decision.endRuns);
  await store.audit.append({
    action: "rollback",
    actor,
    detail: {
      from,
      to,
      namespace: decision.to.namespace,
      ended_runs: decision.endRuns.length,
      texts_embedded: 0,
    },
  });
}
