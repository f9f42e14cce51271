import { EmbError } from "@emb/manifest";
import type { Lease, NamespaceWriter, Runs, RunState, ShardCounters } from "@emb/store";
import type { Chunker } from "./chunker.js";
import type { CommitPace } from "./commit-pace.js";
import { prepare, type PendingDocument, type Prepared, type VectorSources } from "./prepare-batch.js";
import { readAhead } from "./read-ahead.js";

/** Read together from the system of record; bounds the memory of one page. */
const PAGE_DOCUMENTS = 500;
const PAGE_BYTES = 2 * 1024 * 1024;

export interface FillShard extends VectorSources {
  readonly runs: Pick<Runs, "renew" | "release" | "complete" | "state">;
  readonly writer: NamespaceWriter;
  readonly lease: Lease;
  readonly chunker: Chunker;
  /** Shared by the shards of a run. */
  readonly pace: CommitPace;
  /** Ends at once, whatever is under way. */
  readonly signal: AbortSignal;
  /** Ends once the batch under way is committed. */
  readonly stopping?: AbortSignal | undefined;
  readonly onCommit: (counters: ShardCounters) => void;
}

/**
 * Fills one shard from its cursor to its end: chunk, embed what is new, commit. While one batch is embedded the next is read and chunked and
 * the one before is committed, so at most three batches are in memory. The lease is renewed beside it; on any error, or abort, the shard
 * is given back with everything committed so far.
 * @throws EmbError EMB_LEASE_LOST, EMB_BUDGET_REACHED (what the limit reached for is committed) and what provider and store throw; the reason of `signal` or `stopping` when told to end
 */
export async function fillShard(fill: FillShard): Promise<void> {
  const { runs, lease, signal } = fill;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const renewal = setInterval(() => {
    runs.renew(lease).catch((error: unknown) => stop.abort(error));
  }, lease.leaseMs / 3);

  let committing: Promise<void> = Promise.resolve();
  try {
    await copyWhole(fill);
    for await (const batch of readAhead(pendingBatches(fill))) {
      both.throwIfAborted();
      if (fill.stopping?.aborted === true) {
        await committing;
        fill.stopping.throwIfAborted();
      }
      const prepared = await prepare(fill, batch, both);
      await committing;
      committing = commit(fill, prepared);
      committing.catch(() => {}); // reported by the await of the next round
      if (prepared.stopped === null) continue;
      await committing;
      throw prepared.stopped;
    }
    await committing;
    both.throwIfAborted();
    clearInterval(renewal);
    await runs.complete(lease);
  } catch (error) {
    clearInterval(renewal);
    await Promise.allSettled([committing]);
    await runs.release(lease).catch(() => {}); // the lease runs out by itself; the first error is the one to report
    throw error;
  }
}

/** What another namespace of the base holds needs neither chunking nor a vector to be read. */
async function copyWhole({ writer, lease, sameSpace, onCommit }: FillShard): Promise<void> {
  const { base, seal } = writer.record;
  for (const from of sameSpace) {
    if (from.base !== base || from.seal.chunkerId !== seal.chunkerId) continue;
    const { documents, chunks } = await writer.copyDocuments({ lease, from });
    if (documents > 0) onCommit({ documents, chunks, embedded: 0, skipped: chunks, failed: 0, tokens: 0 });
  }
}

async function commit(fill: FillShard, { documents, counters, failures, cursor }: Prepared): Promise<void> {
  if (cursor === null) return;
  const { superseded } = await fill.writer.writeBatch({ lease: fill.lease, documents, cursor, counters, failures });
  fill.onCommit({ ...counters, documents: counters.documents - superseded });
  const state = await fill.runs.state(fill.lease.runId);
  if (state !== "fill") throw endedMeanwhile(fill.lease.runId, state);
}

/** Paused, aborted or rolled back, here or in another process: looked for at each batch. */
const endedMeanwhile = (runId: string, state: RunState | null): EmbError =>
  new EmbError("EMB_RUN_NOT_READY", `run ${runId}: expected state fill, seen ${state ?? "no such run"}`, {
    hint: "emb runs shows it; what is committed is kept unless it was aborted.",
    context: { run_id: runId, state: state ?? "missing" },
  });

/** Pending documents of the shard, chunked, in groups of about as many chunks as the pace says. */
async function* pendingBatches(fill: FillShard): AsyncGenerator<readonly PendingDocument[]> {
  const { chunker, pace } = fill;
  let batch: PendingDocument[] = [];
  let batchRows = 0;
  for await (const page of pendingPages(fill)) {
    for (const document of page) {
      const chunks = chunker.chunk(document);
      const { id, version, contentHash } = document;
      batch.push({ id, version, contentHash, chunks });
      batchRows += chunks.length;
      if (batchRows < pace.rows()) continue;
      yield batch;
      batch = [];
      batchRows = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

async function* pendingPages({
  writer,
  lease,
}: FillShard): AsyncGenerator<Awaited<ReturnType<NamespaceWriter["readPending"]>>> {
  const { cursor, through, documentIds } = lease;
  const page = { through, limit: PAGE_DOCUMENTS, maxBytes: PAGE_BYTES };
  const start = cursor ?? lease.after;
  if (documentIds === null) {
    for (let after = start; ;) {
      const found = await writer.readPending({ ...page, after });
      const last = found.at(-1);
      if (last === undefined) return;
      yield found;
      after = last.id;
    }
  }
  for (let left = documentIds; left.length > 0;) {
    const ids = left.slice(0, PAGE_DOCUMENTS);
    const found = await writer.readPending({ ...page, after: start, ids });
    const last = found.at(-1);
    if (last !== undefined) yield found;
    left = left.slice(last === undefined ? ids.length : ids.indexOf(last.id) + 1);
  }
}
