import type { NamespaceRecord, Reader, Run, Store } from "@emb/store";
import { statesBefore, UNFINISHED } from "./run-state.js";

/** A namespace that an environment's configuration names, and as what. */
export interface ConfiguredUse {
  readonly environment: string;
  readonly use: "baseline" | "active" | "shadow" | "canary";
  readonly profile: string;
  readonly base: string;
  readonly suffix: string;
}

/**
 * Whether nothing uses a namespace any more. Pure. Fails closed: an environment whose configuration cannot be read may use it.
 * @param use.readers seen within the last hour
 * @returns every reason against it; empty: it may be dropped
 */
export function reasonsToKeep(use: {
  record: NamespaceRecord;
  configured: readonly ConfiguredUse[];
  unreadable: readonly { readonly environment: string; readonly why: string }[];
  /** Of the base. */
  runs: readonly Run[];
  readers: readonly Reader[];
}): string[] {
  const { record, configured, unreadable, runs, readers } = use;
  const reasons: string[] = [];
  for (const { environment, use: as, profile, base, suffix } of configured)
    if (base === record.base && suffix === record.suffix)
      reasons.push(`environment ${environment}: its ${as} profile ${profile} lives there`);
  for (const { environment, why } of unreadable)
    reasons.push(`environment ${environment}: its configuration cannot be read, so it may use it (${why})`);
  for (const { id, namespaceId, state } of runs)
    if (namespaceId === record.id && UNFINISHED.includes(state))
      reasons.push(`run ${id}: expected none unfinished, seen ${state}`);
  for (const { instance, environment, base, namespace, seenAt } of readers)
    if (base === record.base && namespace === record.namespace)
      reasons.push(`reader ${instance} (${environment}): read it at ${seenAt.toISOString()}`);
  return reasons;
}

/**
 * Writes the audit row, drops the vectors, and ends the runs that filled them. Documents stay: another fill makes the namespace anew. What cannot be
 * undone is on record before it is done: whoever is killed in between left no namespace that is gone without a trace.
 */
export async function retireNamespace(
  store: Pick<Store, "audit" | "namespaces" | "runs">,
  { record, actor }: { record: NamespaceRecord; actor: string },
): Promise<void> {
  await store.audit.append({
    action: "namespace.retired",
    actor,
    detail: { namespace: record.namespace, base: record.base, profile: record.seal.profile },
  });
  await store.namespaces.retire(record.id);
  for (const { id, namespaceId } of await store.runs.list({ base: record.base }))
    if (namespaceId === record.id)
      await store.runs.transition(id, {
        from: statesBefore("retired"),
        to: "retired",
        reason: "its namespace was retired",
      });
}
