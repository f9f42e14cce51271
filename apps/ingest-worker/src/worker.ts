import { setTimeout as sleep } from "node:timers/promises";
import type { Environment, Settings } from "@emb/config";
import { continueRun, UNFINISHED, type Progress } from "@emb/ingest";
import type { Run, Store } from "@emb/store";
import { actor, findProfile } from "@emb/query";
import { createModel } from "./model.js";

const POLL_MS = 2000;

export interface WorkerSetup {
  readonly settings: Settings;
  readonly env: Environment;
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly note: (text: string) => void;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Takes runs whose source was read to its end, one at a time, and goes on with them until told to stop. A run that fails is left where it is and
 * tried again at the next start of the worker, not in a loop.
 */
export async function work(setup: WorkerSetup): Promise<void> {
  const { store, signal, note } = setup;
  const failed = new Set<string>();
  while (!signal.aborted) {
    const run = (await store.runs.list({ states: UNFINISHED })).find(
      ({ id, state, intakeDone }) => intakeDone && state !== "paused" && !failed.has(id),
    );
    if (run === undefined) {
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
      continue;
    }
    try {
      await workOn(setup, run);
    } catch (error) {
      if (signal.aborted) return;
      failed.add(run.id);
      note(
        JSON.stringify({
          level: "error",
          event: "run.stopped",
          run_id: run.id,
          message: error instanceof Error ? error.message : String(error),
        }),
      );
    }
  }
}

async function workOn({ settings, env, store, signal, nowMs, note, onProgress }: WorkerSetup, run: Run): Promise<void> {
  const profile = findProfile(settings, run.profile);
  const record = (await store.namespaces.list(run.base)).find(({ id }) => id === run.namespaceId);
  if (record === undefined) return;
  const { provider, chunker } = await createModel(settings, env, profile);
  try {
    const { run: ended } = await continueRun(
      {
        store,
        provider,
        chunker,
        signal,
        nowMs,
        limits: settings.verify,
        acceptFailures: 0,
        actor: actor(),
        commitRows: settings.ingest.commitRows,
        leaseMs: settings.ingest.leaseMs,
        sleep: (ms, stop) => sleep(ms, undefined, { signal: stop }),
        onProgress: onProgress ?? (() => {}),
      },
      run,
      record,
    );
    note(
      JSON.stringify({
        level: "info",
        event: `run.${ended.state}`,
        run_id: run.id,
        namespace: record.namespace,
        reason: ended.reason,
      }),
    );
  } finally {
    await provider.close();
  }
}
