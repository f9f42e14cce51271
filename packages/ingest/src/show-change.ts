import { isEmbError, type EmbError } from "@emb/manifest";
import type { NamespaceRecord, Store } from "@emb/store";
import { drainChanges, type ChangeDrain } from "./keep-fresh.js";

/** What one namespace has of a document that was put. */
export interface ShownChange {
  readonly namespace: string;
  /** queued: a worker, or the next put, brings it; set_aside: shown without the texts that the provider refused; unchanged: there already. */
  readonly state: "written" | "queued" | "set_aside" | "unchanged";
  /** Why it is queued, when that is known here. */
  readonly why: EmbError | null;
}

/**
 * Shows one document in each namespace of its base where it waits, as far as the providers answer; the others keep it queued.
 * @param withDrain opens a namespace for writing while `work` runs; an error of it leaves the change queued too
 * @throws store errors; the signal's reason on abort
 */
export async function showChange(
  { changes, namespaces }: Pick<Store, "changes" | "namespaces">,
  { base, documentId, signal }: { base: string; documentId: string; signal: AbortSignal },
  withDrain: (record: NamespaceRecord, work: (drain: ChangeDrain) => Promise<unknown>) => Promise<unknown>,
): Promise<readonly ShownChange[]> {
  const shown: ShownChange[] = [];
  for (const record of await namespaces.list(base)) {
    if (record.state === "retired") continue;
    const state = async () => (await changes.find(record.id, [documentId]))[0]?.state;
    const before = await state();
    let why: EmbError | null = null;
    if (before === "queued") {
      try {
        await withDrain(record, async (drain) => {
          why = (await drainChanges(drain, [documentId])).stopped;
        });
      } catch (error) {
        signal.throwIfAborted();
        if (!isEmbError(error) || error.code.startsWith("EMB_STORE")) throw error;
        why = error;
      }
    }
    const after = await state();
    shown.push({
      namespace: record.namespace,
      state: after ?? (before === undefined ? "unchanged" : "written"),
      why: after === "queued" ? why : null,
    });
  }
  return shown;
}
