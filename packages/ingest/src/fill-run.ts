import type { ShardCounters, Store } from "@emb/store";
import type { ContinueSetup } from "./continue-run.js";
import { fillShard, type FillShard } from "./fill-shard.js";
import type { Filling } from "./filling.js";
import { drainChanges } from "./keep-fresh.js";
import { checkWitness } from "./open-target.js";
import { documentsShown } from "./run-progress.js";
import { stopped } from "./run-step.js";

/** Between two looks for a shard that another holder may have let go. */
const LEASE_POLL_MS = 1000;

/** Takes shards until every one is done; waits for those that another holder has. */
export async function fillRun(setup: ContinueSetup, runId: string, filling: Filling): Promise<void> {
  const { store, shardsAtOnce = 1 } = setup;
  const run = await store.runs.get(runId); // its shards were cut after it was read
  if (run === null) throw stopped(run);
  const progress = {
    documents: documentsShown(run),
    chunks: 0,
    embedded: 0,
  };
  const tell = () => setup.onProgress({ kind: "fill", documentsTotal: run.documentsTotal, ...progress });
  const onCommit = ({ documents, chunks, embedded }: ShardCounters) => {
    progress.documents += documents;
    progress.chunks += chunks;
    progress.embedded += embedded;
    tell();
  };
  tell();
  const soon = eitherSignal(setup);
  for (;;) {
    await sideBySide(setup, shardsAtOnce, (stopping) =>
      takeShards({ ...setup, stopping }, runId, { ...filling, runs: store.runs, onCommit }),
    );
    const now = await store.runs.get(runId);
    if (now === null || now.shards.done === now.shards.total) break;
    if (now.state !== "fill") throw stopped(now);
    setup.onProgress({
      kind: "waiting",
      reason: `${now.shards.total - now.shards.done} shards are held by another process`,
    });
    await setup.sleep(LEASE_POLL_MS, soon);
  }
  // what changed while it was filled, in stretches of ids that were done
  const { changes } = store;
  const drained = await drainChanges({
    ...setup,
    ...filling,
    changes,
    checkModel: () => checkWitness(setup, filling.writer.record, setup.limits.witnessMinCosine),
  });
  soon.throwIfAborted();
  if (drained.stopped !== null) throw drained.stopped;
}

/** One shard after the other, until none is free. */
async function takeShards(
  setup: ContinueSetup & { readonly stopping: AbortSignal },
  runId: string,
  shared: Filling & Pick<FillShard, "onCommit"> & Pick<Store, "runs">,
): Promise<void> {
  const { signal, stopping, leaseMs, actor, owner = actor } = setup;
  for (;;) {
    signal.throwIfAborted();
    stopping.throwIfAborted();
    const lease = await shared.runs.claimShard(runId, { owner, leaseMs });
    if (lease === null) return;
    await fillShard({ ...shared, lease, signal, stopping });
  }
}

/** Runs `count` of the same work at once. The first failure lets the others commit what they have under way, and is thrown then. */
async function sideBySide(
  { stopping }: Pick<ContinueSetup, "stopping">,
  count: number,
  work: (stopping: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const soon = stopping === undefined ? failed.signal : AbortSignal.any([stopping, failed.signal]);
  await Promise.allSettled(
    Array.from({ length: count }, () =>
      work(soon).catch((error: unknown) => {
        if (!failed.signal.aborted) failed.abort(error);
      }),
    ),
  );
  failed.signal.throwIfAborted();
}

export const eitherSignal = ({ signal, stopping }: Pick<ContinueSetup, "signal" | "stopping">): AbortSignal =>
  stopping === undefined ? signal : AbortSignal.any([signal, stopping]);
