import { drainChanges, openDrain, UNFINISHED, type ChangeDrain } from "@emb/ingest";
import { errorFields } from "@emb/query";
import type { EmbeddingProvider } from "@emb/providers";
import type { NamespaceRecord } from "@emb/store";
import { backOffMs } from "./back-off.js";
import type { Duty, WorkerContext } from "./duty.js";

/**
 * Shows live changes in every namespace where they wait, one namespace after the other. A namespace whose provider is away is left alone for a while that grows;
 * its changes wait. At the worker's start, what ended runs left in namespaces that serve is queued first.
 */
export function createFreshnessDuty(context: WorkerContext): Duty {
  const { store, models, settings, signal, stopping, log, nowMs } = context;
  /** Kept while changes come, so that the witness is not embedded again for each; with the model it belongs to. */
  const drains = new Map<number, { readonly provider: EmbeddingProvider; readonly drain: ChangeDrain }>();
  const failed = new Map<number, { readonly failures: number; readonly againAtMs: number }>();
  let started = false;

  const queueLeftOver = async () => {
    const unfinished = new Set((await store.runs.list({ states: UNFINISHED })).map(({ namespaceId }) => namespaceId));
    for (const { id, state, namespace } of await store.namespaces.list()) {
      if (state !== "ready" || unfinished.has(id)) continue;
      const documents = await store.changes.queuePending(id);
      if (documents > 0) log.info({ event: "changes.queued", namespace, documents });
    }
    started = true;
  };

  /** @returns whether anything was written */
  const keepFresh = (record: NamespaceRecord): Promise<boolean> =>
    models.use(record, async (model) => {
      const { witnessMinCosine } = settings.verify;
      const { leaseMs } = settings.ingest;
      let kept = drains.get(record.id);
      if (kept?.provider !== model.provider) {
        const drain = await openDrain({ store, ...model, leaseMs, witnessMinCosine, signal, stopping }, record);
        drains.set(record.id, (kept = { provider: model.provider, drain }));
      }
      const { written, setAside, postponed, stopped } = await drainChanges(kept.drain);
      if (written + setAside + postponed > 0)
        model.log.info({
          event: "changes.shown",
          namespace: record.namespace,
          written,
          set_aside: setAside,
          postponed,
        });
      if (stopped !== null) throw stopped;
      return written > 0;
    });

  return {
    name: "freshness",
    lookMs: LOOK_MS,
    async step() {
      if (!started) await queueLeftOver();
      const waiting = new Set(
        (await store.changes.counts()).filter(({ queued }) => queued > 0).map((c) => c.namespaceId),
      );
      for (const id of drains.keys()) if (!waiting.has(id)) drains.delete(id); // its vectors are not kept in memory for nothing
      if (waiting.size === 0) return false;
      let busy = false;
      for (const record of await store.namespaces.list()) {
        if (stopping.aborted) return false;
        const { id, namespace, state } = record;
        if (!waiting.has(id) || state === "retired" || (failed.get(id)?.againAtMs ?? -Infinity) > nowMs()) continue;
        try {
          busy = (await keepFresh(record)) || busy;
          failed.delete(id);
        } catch (error) {
          if (stopping.aborted) return false;
          const failures = (failed.get(id)?.failures ?? 0) + 1;
          const waitMs = Math.min(backOffMs(failures, Math.random()), LONGEST_MS);
          failed.set(id, { failures, againAtMs: nowMs() + waitMs });
          log.error({
            event: "changes.stopped",
            namespace,
            failures,
            retry_in_ms: Math.round(waitMs),
            ...errorFields(error),
          });
        }
      }
      return busy;
    },
  };
}

/** A change that nobody else has shown waits about so long for a worker. */
const LOOK_MS = 2_000;
/** A change waits no longer for a provider that is back. */
const LONGEST_MS = 60_000;
