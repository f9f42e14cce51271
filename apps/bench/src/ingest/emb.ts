import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULTS } from "@emb/config";
import { continueRun, reingest, type ContinueSetup, type Progress } from "@emb/ingest";
import { boundHeapGrowth, profileChunker } from "@emb/ingest-worker";
import { createTokenizer, type EmbeddingProvider } from "@emb/providers";
import type { Run, Store } from "@emb/store";
import { openServerStore } from "@emb/store/server";
import { BATCH } from "../client/by-hand.js";
import { observedProvider } from "../client/observed-provider.js";
import { corpus } from "./corpus.js";
import { mark, type Mark, type Marks, type TaskOf } from "./task.js";

export const BASE = "bench";
interface World {
  readonly store: Store;
  readonly provider: EmbeddingProvider;
  readonly setup: (onProgress: (progress: Progress) => void, signal: AbortSignal) => ContinueSetup;
}

/** The setup of a worker: every check, the ledger and the telemetry, with the settings that a user has who sets none. */
export async function withWorld<T>(
  task: { database: string; service: string; schema: string; commitRows?: number },
  use: (world: World) => Promise<T>,
): Promise<T> {
  boundHeapGrowth(); // as the apps do
  const store = await openServerStore({ connectionString: task.database, schema: task.schema });
  const provider = await observedProvider(new URL(task.service), BATCH);
  const { profile } = provider;
  const tokenizer = await createTokenizer(profile, { env: {}, dataDir: "unused" });
  const { ingest, verify } = DEFAULTS;
  try {
    return await use({
      store,
      provider,
      setup: (onProgress, signal) => ({
        store,
        provider,
        tokenizer,
        chunker: profileChunker(profile, tokenizer, ingest.chunkTokens),
        commitRows: task.commitRows ?? ingest.commitRows,
        shardsAtOnce: ingest.concurrency,
        leaseMs: ingest.leaseMs,
        limits: { ...verify, minRecall: 0 }, // 512 vectors for all documents say nothing of an index
        acceptFailures: 0,
        actor: `bench ${process.pid}`,
        nowMs: () => performance.now(),
        sleep: (ms, stop) => sleep(ms, undefined, { signal: stop }),
        signal,
        onProgress,
      }),
    });
  } finally {
    await provider.close();
    await store.close();
  }
}

/** Notes when each step was first reached, and the last commit; stops the run when it reaches `until`. */
function watch(until: string) {
  const stop = new AbortController();
  const marks: Record<string, Mark> = { start: mark() };
  let peak = 0;
  const onProgress = (progress: Progress): void => {
    marks[progress.kind] ??= mark();
    if (progress.kind === "fill") marks["committed"] = mark();
    if (progress.kind !== until) return;
    peak = process.resourceUsage().maxRSS / 1024;
    const end = () => stop.abort(new Error("far enough"));
    // a moment later the index over contents is being made, as at the end of every fill, and the runs that follow find it; the one over vectors is not
    if (until === "index") setImmediate(end);
    else end();
  };
  return {
    onProgress,
    signal: stop.signal,
    /** Runs the work to its stop; a stop here is not an error. */
    async run(work: () => Promise<unknown>): Promise<void> {
      await work().catch((error: unknown) => {
        if (!stop.signal.aborted || error !== stop.signal.reason) throw error;
      });
      marks["end"] = mark();
    },
    result: (run: Run): Marks => ({
      marks,
      peak_mib: peak === 0 ? process.resourceUsage().maxRSS / 1024 : peak,
      embedded: run.counters.embedded,
    }),
  };
}

const theRun = async (store: Store): Promise<Run> => {
  const [run] = await store.runs.list({ base: BASE });
  if (run === undefined) throw new Error("there is no run");
  return run;
};

export const reingestTask = (task: TaskOf<"reingest">): Promise<Marks> =>
  withWorld(task, async ({ store, setup }) => {
    const watched = watch(task.until);
    await watched.run(() =>
      reingest({
        ...setup(watched.onProgress, watched.signal),
        base: BASE,
        mode: "profile",
        source: corpus(task.documents, task.changes, task.long),
        shardDocuments: DEFAULTS.ingest.shardDocuments,
        newRunId: randomUUID,
      }),
    );
    const run = await theRun(store);
    // so that the next one is a run of its own
    if (task.until !== "fill") await store.runs.transition(run.id, { from: ["index", "verify", "ready"], to: "ready" });
    return watched.result(run);
  });

export const workTask = (task: TaskOf<"work">): Promise<Marks> =>
  withWorld(task, async ({ store, setup }) => {
    const run = await theRun(store);
    const record = (await store.namespaces.list(BASE)).find(({ id }) => id === run.namespaceId)!;
    const watched = watch("index");
    await sleep(Math.max(0, task.startAtMs - Date.now()));
    await watched.run(() => continueRun(setup(watched.onProgress, watched.signal), run, record));
    return watched.result(await theRun(store));
  });
