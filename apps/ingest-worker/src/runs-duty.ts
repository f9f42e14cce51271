import { setTimeout as sleep } from "node:timers/promises";
import { continueRun, UNFINISHED } from "@emb/ingest";
import { isEmbError } from "@emb/manifest";
import { actor, errorFields } from "@emb/query";
import type { Run } from "@emb/store";
import { backOffMs } from "./back-off.js";
import type { Duty, WorkerContext } from "./duty.js";
import { shardsAtOnce } from "./shards-at-once.js";

/** Wake-ups come sooner; this is for those that are lost, and for runs that wait for their next try. */
const LOOK_MS = 2_000;

/**
 * Goes on with runs whose source was read to its end, the newest first, one run and several of its shards at a time. A run that fails here stays where
 * it is for others, and is tried again after a while that grows with each failure.
 */
export function createRunsDuty(context: WorkerContext): Duty {
  const { store, log, nowMs, stopping } = context;
  const failed = new Map<string, { readonly failures: number; readonly againAtMs: number }>();

  const workable = ({ id, intakeDone, state }: Run): boolean =>
    intakeDone && state !== "paused" && (failed.get(id)?.againAtMs ?? -Infinity) <= nowMs();

  return {
    name: "runs",
    lookMs: LOOK_MS,
    async step() {
      const unfinished = await store.runs.list({ states: UNFINISHED });
      for (const id of failed.keys()) if (!unfinished.some((run) => run.id === id)) failed.delete(id);
      const run = unfinished.find(workable);
      if (run === undefined) return false;
      try {
        await goOn(context, run);
        failed.delete(run.id);
      } catch (error) {
        if (stopping.aborted) return false;
        const failures = (failed.get(run.id)?.failures ?? 0) + 1;
        const waitMs = backOffMs(failures, Math.random());
        failed.set(run.id, { failures, againAtMs: nowMs() + waitMs });
        // paused, aborted, or brought to its end by another: nothing is wrong here
        log[isEmbError(error, "EMB_RUN_NOT_READY") ? "info" : "error"]({
          event: "run.stopped",
          run_id: run.id,
          failures,
          retry_in_ms: Math.round(waitMs),
          ...errorFields(error),
        });
      }
      return true;
    },
  };
}

async function goOn(context: WorkerContext, run: Run): Promise<void> {
  const { settings, store, instance, models, signal, stopping, nowMs, onProgress } = context;
  const record = (await store.namespaces.list(run.base)).find(({ id }) => id === run.namespaceId);
  if (record === undefined) return;
  await models.use(record, async ({ provider, chunker, tokenizer, log }) => {
    log.info({ event: "run.taken", run_id: run.id, namespace: record.namespace });
    const { commitRows, leaseMs } = settings.ingest;
    const { run: ended } = await continueRun(
      {
        store,
        provider,
        chunker,
        tokenizer,
        signal,
        stopping,
        nowMs,
        limits: settings.verify,
        acceptFailures: 0,
        actor: actor(),
        owner: instance,
        commitRows,
        leaseMs,
        shardsAtOnce: shardsAtOnce(settings, provider.profile),
        sleep: (ms, stop) => sleep(ms, undefined, { signal: stop }),
        onProgress(progress) {
          if (progress.kind === "warning")
            log.warn({ event: "run.warning", run_id: run.id, message: progress.message });
          onProgress(progress);
        },
      },
      run,
      record,
    );
    log.info({ event: `run.${ended.state}`, run_id: run.id, namespace: record.namespace, reason: ended.reason });
  });
}
