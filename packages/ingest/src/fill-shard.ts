import { EmbError } from "@emb/manifest";
import type {
  Chunk,
  DocumentChunks,
  Lease,
  NamespaceRecord,
  NamespaceWriter,
  Runs,
  RunState,
  ShardCounters,
  TextFailure,
} from "@emb/store";
import type { Chunker, TextChunk } from "./chunker.js";
import type { CommitPace } from "./commit-pace.js";
import { chunkHash } from "./content-hash.js";
import type { OwnContents } from "./own-contents.js";
import { readAhead } from "./read-ahead.js";
import type { RunMeter } from "./run-meter.js";
import type { RecentVectors } from "./recent-vectors.js";

/** Read together from the system of record; bounds the memory of one page. */
const PAGE_DOCUMENTS = 500;
const PAGE_BYTES = 2 * 1024 * 1024;

export interface FillShard {
  readonly runs: Pick<Runs, "renew" | "release" | "complete" | "state">;
  readonly writer: NamespaceWriter;
  readonly lease: Lease;
  readonly chunker: Chunker;
  readonly meter: RunMeter;
  readonly recent: RecentVectors;
  /** Null: whatever is not recent may be stored. */
  readonly own: OwnContents | null;
  /** Namespaces whose vectors can stand in this one as they are: same-space.ts. */
  readonly sameSpace: readonly NamespaceRecord[];
  /** Shared by the shards of a run. */
  readonly pace: CommitPace;
  /** Ends at once, whatever is under way. */
  readonly signal: AbortSignal;
  /** Ends once the batch under way is committed. */
  readonly stopping?: AbortSignal | undefined;
  readonly onCommit: (counters: ShardCounters) => void;
}

export interface PendingDocument {
  readonly id: string;
  readonly version: bigint;
  readonly chunks: readonly TextChunk[];
}

export interface Prepared {
  readonly documents: readonly DocumentChunks[];
  readonly counters: ShardCounters;
  readonly failures: readonly TextFailure[];
  /** null: not one document of the batch is whole. */
  readonly cursor: string | null;
  /** Why the batch ends before its last document. */
  readonly stopped: EmbError | null;
}

/**
 * Fills one shard from its cursor to its end: chunk, embed what is new, commit. While one batch is embedded the next is read and chunked and
 * the one before is committed, so at most three batches are in memory. The lease is renewed beside it; on any error, or abort, the shard
 * is given back with everything committed so far.
 * @throws EmbError EMB_LEASE_LOST, EMB_BUDGET_REACHED (what the limit reached for is committed) and what provider and store throw; the reason of `signal` or `stopping` when told to end
 */
export async function fillShard(fill: FillShard): Promise<void> {
  const { runs, lease, pace, signal } = fill;
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
      const prepared = await pace.measure(chunksOf(batch), () => prepare(fill, batch, both));
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
      batch.push({ id: document.id, version: document.version, chunks });
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

/** Gives every chunk its vector: from a moment ago, from the namespace, or from the provider, in that order. */
export async function prepare(
  { meter, recent, own, writer, sameSpace }: Pick<FillShard, "meter" | "recent" | "own" | "writer" | "sameSpace">,
  batch: readonly PendingDocument[],
  signal: AbortSignal,
): Promise<Prepared> {
  const hashed = batch.map((document) => ({
    ...document,
    chunks: document.chunks.map((chunk) => {
      const contentHash = chunkHash(chunk.embedText);
      return { chunk, contentHash, key: contentHash.toString("hex") };
    }),
  }));

  const vectors = new Map<string, Float32Array>();
  const unknown = new Map<string, { contentHash: Uint8Array; embedText: string }>();
  for (const { key, contentHash, chunk } of hashed.flatMap((document) => document.chunks)) {
    const vector = recent.get(key);
    if (vector) vectors.set(key, vector);
    else unknown.set(key, { contentHash, embedText: chunk.embedText });
  }
  const stored = [...unknown].filter(([key]) => own === null || own.mayHold(key));
  for (const [key, vector] of await writer.findVectors(
    stored.map(([, { contentHash }]) => contentHash),
    sameSpace,
  )) {
    vectors.set(key, vector);
    unknown.delete(key);
  }

  const refused = new Map<string, { code: string; reason: string }>();
  const { outcomes, tokens, stopped } = await meter.embed(
    [...unknown.values()].map(({ embedText }) => embedText),
    signal,
  );
  for (const [place, key] of [...unknown.keys()].entries()) {
    const outcome = outcomes[place];
    if (outcome === undefined && stopped !== null) break;
    if (outcome === undefined)
      throw new EmbError("EMB_PROVIDER_RESPONSE_INVALID", `expected ${unknown.size} vectors, got ${outcomes.length}`, {
        hint: "Check the provider's adapter with providerContract of @emb/providers/testing.",
      });
    if (outcome instanceof Float32Array) {
      vectors.set(key, outcome);
      recent.add(key, outcome);
      own?.add(key);
    } else refused.set(key, outcome);
  }

  // a document is committed whole or not at all
  const known = (key: string) => vectors.has(key) || refused.has(key);
  const cut = hashed.findIndex(({ chunks }) => !chunks.every(({ key }) => known(key)));
  const whole = stopped === null || cut < 0 ? hashed : hashed.slice(0, cut);

  const failures: TextFailure[] = [];
  const documents = whole.map(({ id, version, chunks }): DocumentChunks => {
    const rows: Chunk[] = [];
    for (const [ordinal, { chunk, contentHash, key }] of chunks.entries()) {
      const vector = vectors.get(key);
      if (vector)
        rows.push({ documentId: id, ordinal, contentHash, text: chunk.text, headingPath: chunk.headingPath, vector });
      else
        failures.push({
          documentId: id,
          ordinal,
          ...(refused.get(key) ?? { code: "EMB_INTERNAL", reason: "no vector" }),
        });
    }
    return { documentId: id, version, chunks: rows };
  });
  const chunkCount = chunksOf(documents);
  const kept = new Set(whole.flatMap(({ chunks }) => chunks.map(({ key }) => key)));
  const embedded = [...unknown.keys()].filter((key) => vectors.has(key) && kept.has(key)).length;
  return {
    documents,
    failures,
    stopped,
    cursor: whole.at(-1)?.id ?? null,
    counters: {
      documents: whole.length,
      chunks: chunkCount,
      embedded,
      skipped: chunkCount - embedded,
      failed: failures.length,
      tokens,
    },
  };
}

const chunksOf = (documents: readonly { readonly chunks: readonly unknown[] }[]): number =>
  documents.reduce((sum, { chunks }) => sum + chunks.length, 0);
