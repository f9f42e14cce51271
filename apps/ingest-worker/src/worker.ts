import { setTimeout as sleep } from "node:timers/promises";
import type { Environment, Settings } from "@emb/config";
import { continueRun, UNFINISHED, type Progress } from "@emb/ingest";
import type { Run, Store } from "@emb/store";
import { telemetryLabels, type EmbeddingProvider } from "@emb/providers";
import { actor, errorFields, findProfile, telemetryContext, type ServiceLog, type Telemetry } from "@emb/query";
import { createModel } from "./model.js";

const POLL_MS = 2000;

export interface WorkerSetup {
  readonly settings: Settings;
  readonly env: Environment;
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly log: ServiceLog;
  readonly telemetry: Telemetry;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Takes runs whose source was read to its end, one at a time, and goes on with them until told to stop. A run that fails is left where it is and
 * tried again at the next start of the worker, not in a loop.
 */
export async function work(setup: WorkerSetup): Promise<void> {
  const { store, signal, log } = setup;
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
      log.error({ event: "run.stopped", run_id: run.id, ...errorFields(error) });
    }
  }
}

async function workOn(setup: WorkerSetup, run: Run): Promise<void> {
  const { settings, env, store, signal, nowMs, onProgress } = setup;
  const profile = findProfile(settings, run.profile);
  const record = (await store.namespaces.list(run.base)).find(({ id }) => id === run.namespaceId);
  if (record === undefined) return;
  const context = telemetryContext(settings, profile, record.namespace);
  const log = setup.log.with(telemetryLabels(context));
  const telemetry = setup.telemetry.profile(context);
  const onWarning = (message: string) => log.warn({ event: "provider.warning", message });
  let model: EmbeddingProvider | undefined;
  try {
    const opened = await createModel(settings, env, profile, { observer: telemetry.observer, onWarning });
    const { chunker, tokenizer } = opened;
    model = telemetry.traced(opened.provider);
    const { run: ended } = await continueRun(
      {
        store,
        provider: model,
        chunker,
        tokenizer,
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
    log.info({ event: `run.${ended.state}`, run_id: run.id, namespace: record.namespace, reason: ended.reason });
  } finally {
    await model?.close();
    telemetry.close();
  }
}
