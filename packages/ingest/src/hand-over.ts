import { isEmbError } from "@emb/manifest";
import type { NamespaceRecord, Run } from "@emb/store";
import { continueRun, type ContinueSetup } from "./continue-run.js";
import type { Filling } from "./filling.js";
import { documentsShown } from "./run-progress.js";
import { WORKING } from "./run-state.js";
import { stopped } from "./run-step.js";
import type { Verification } from "./verify-namespace.js";

/** Who fills: this process alone, only workers elsewhere, or all of them. */
export type FilledBy = "local" | "queue" | "both";

/** How often a run that others fill is looked at. */
const LOOK_MS = 1_000;
/** A worker that has been silent for so long does not count. Workers report every five seconds. */
const WORKER_SILENT_MS = 30_000;

/**
 * Takes a run whose source was read to its end: here, by workers that are woken, or both.
 * @param opened as for `continueRun`
 * @returns the run at its end; `verification` is null when a worker made it
 * @throws EmbError EMB_RUN_NOT_READY when it is paused meanwhile, and as `continueRun`
 */
export async function handOver(
  setup: ContinueSetup,
  run: Run,
  record: NamespaceRecord,
  opened?: Filling,
): Promise<{ run: Run; verification: Verification | null }> {
  const { filledBy = "local", store, acceptFailures } = setup;
  if (acceptFailures > 0) await store.runs.acceptFailures(run.id, acceptFailures);
  // those whose shards were cut just now were woken then; once more does no harm
  if (filledBy !== "local") await store.wakeups.send(run.shards.total - run.shards.done);
  return filledBy === "queue"
    ? { run: await follow(setup, run.id), verification: null }
    : unlessReady(setup, run.id, continueRun(setup, run, record, opened));
}

/** What broke here is of no account where another process has brought the run to its end meanwhile: that one verified it. */
async function unlessReady(
  { store }: ContinueSetup,
  runId: string,
  continued: ReturnType<typeof continueRun>,
): Promise<{ run: Run; verification: Verification | null }> {
  try {
    return await continued;
  } catch (error) {
    if (!isEmbError(error, "EMB_RUN_NOT_READY")) throw error;
    const run = await store.runs.get(runId);
    if (run?.state !== "ready") throw error;
    return { run, verification: null };
  }
}

/** Tells how the run goes until it stands still. */
async function follow(setup: ContinueSetup, id: string): Promise<Run> {
  const { store, signal, onProgress } = setup;
  for (;;) {
    signal.throwIfAborted();
    const run = await store.runs.get(id);
    if (run === null || run.state === "paused") throw stopped(run);
    if (!WORKING.includes(run.state)) return run;
    const { chunks, embedded } = run.counters;
    if ((await store.workers.list({ withinMs: WORKER_SILENT_MS })).length === 0)
      onProgress({
        kind: "waiting",
        reason: `no worker has shown a sign of life for ${WORKER_SILENT_MS / 1000} s: start emb-ingest-worker`,
      });
    else if (run.state === "index") onProgress({ kind: "index" });
    else if (run.state === "verify") onProgress({ kind: "waiting", reason: "a worker reads it back and verifies it" });
    else
      onProgress({
        kind: "fill",
        documents: documentsShown(run),
        documentsTotal: run.documentsTotal,
        chunks,
        embedded,
      });
    await setup.sleep(LOOK_MS, signal);
  }
}
