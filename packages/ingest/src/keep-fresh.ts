import { isEmbError, type EmbError } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import type { Changes, NamespaceRecord, NamespaceWriter, QueuedChange, Store, TextFailure } from "@emb/store";
import { decidePostponement } from "./change-postponement.js";
import type { Chunker } from "./chunker.js";
import { embedIsolating } from "./embed-isolating.js";
import { prepare } from "./fill-shard.js";
import { checkWitness, expectedSeal } from "./open-target.js";
import { RecentVectors } from "./recent-vectors.js";
import type { RunMeter } from "./run-meter.js";
import { sameSpace } from "./same-space.js";
import { sealedChunker } from "./whole-texts.js";

/** Claimed and committed together; bounds memory, and what a kill costs. */
const BATCH_CHANGES = 64;
/** Nobody else takes a change for so long; a drain that takes longer does some of it twice and commits it once. */
const CLAIM_MS = 60_000;
const RECENT_VECTOR_BYTES = 4 * 1024 * 1024;

/** What drains the changes of one namespace. Nothing of it is kept between drains but the recent vectors. */
export interface ChangeDrain {
  readonly changes: Pick<Changes, "claim" | "postpone">;
  readonly writer: NamespaceWriter;
  readonly chunker: Chunker;
  readonly meter: RunMeter;
  readonly recent: RecentVectors;
  /** Namespaces whose vectors can stand in this one as they are: same-space.ts. */
  readonly sameSpace: readonly NamespaceRecord[];
  /** Ends at once; what was claimed is free again. */
  readonly signal: AbortSignal;
  /** Ends after the batch under way. */
  readonly stopping?: AbortSignal | undefined;
}

export interface DrainReport {
  /** Documents whose chunks were written. */
  readonly written: number;
  /** Of these, such with texts that the provider refused. */
  readonly setAside: number;
  /** Given back, because the provider or the limit of the run does not let them through now. */
  readonly postponed: number;
  /** Why it ended before the queue did. */
  readonly stopped: EmbError | null;
}

/**
 * Shows what waits for a namespace until nothing is free to be taken: claim, chunk, embed what is new, commit. Any number of processes may do so at once,
 * beside a fill of the same namespace. A change that cannot be shown now stays queued, for a while that grows with its attempts; none is lost.
 * @param only these documents
 * @throws store errors, and errors that time does not heal; the signal's reason on abort
 */
export async function drainChanges(drain: ChangeDrain, only?: readonly string[]): Promise<DrainReport> {
  const { changes, writer, signal, stopping } = drain;
  const namespaceId = writer.record.id;
  const total = { written: 0, setAside: 0 };
  for (;;) {
    signal.throwIfAborted();
    if (stopping?.aborted === true) break;
    const claimed = await changes.claim({
      namespaceId,
      limit: BATCH_CHANGES,
      claimMs: CLAIM_MS,
      ...(only !== undefined && { documentIds: only }),
    });
    if (claimed.length === 0) break;
    try {
      const { left, stopped, ...shown } = await showChanges(drain, claimed);
      total.written += shown.written;
      total.setAside += shown.setAside;
      if (stopped !== null) {
        await changes.postpone({ namespaceId, changes: left, waitMs: 0 });
        return { ...total, postponed: left.length, stopped };
      }
    } catch (error) {
      const { waitMs, rethrow } = decidePostponement({ changes: claimed, error, aborted: signal.aborted });
      // when the store is what fails, the claim runs out by itself; the first error is the one to report
      await changes.postpone({ namespaceId, changes: claimed, waitMs }).catch(() => {});
      if (rethrow || !isEmbError(error)) throw error;
      return { ...total, postponed: claimed.length, stopped: error };
    }
  }
  return { ...total, postponed: 0, stopped: null };
}

async function showChanges(drain: ChangeDrain, claimed: readonly QueuedChange[]) {
  const { writer, chunker, signal } = drain;
  const pending = await writer.readChanged(claimed.map(({ documentId }) => documentId));
  const ids = new Set(pending.map(({ id }) => id));
  const { documents, failures, stopped } = await prepare(
    drain,
    pending.map((document) => ({ id: document.id, version: document.version, chunks: chunker.chunk(document) })),
    signal,
  );
  const whole = new Set(documents.map(({ documentId }) => documentId));
  const { written } = await writer.writeChanges({
    documents,
    settled: claimed.map(({ documentId }) => documentId).filter((id) => !ids.has(id)),
    failures: failures.filter(ofChunk),
  });
  const refused = new Set(failures.map(({ documentId }) => documentId));
  return {
    written: written.length,
    setAside: written.filter((id) => refused.has(id)).length,
    left: claimed.filter(({ documentId }) => ids.has(documentId) && !whole.has(documentId)),
    stopped,
  };
}

const ofChunk = (failure: TextFailure): failure is TextFailure & { ordinal: number } => failure.ordinal !== null;

/** For changes that belong to no run: nothing limits them, and no ledger is kept. */
export const createLiveMeter = (provider: EmbeddingProvider): RunMeter => ({
  async embed(texts, signal) {
    let sum = 0;
    const onCall = (_: readonly string[], tokens: number | null) => void (sum += tokens ?? 0);
    return { outcomes: await embedIsolating(provider, texts, { signal, onCall }), tokens: sum, stopped: null };
  },
});

/**
 * Opens a namespace to keep it fresh: with the seal that it has, and a model that repeats the seal's witness.
 * @throws EmbError EMB_SEAL_MISMATCH, EMB_WITNESS_FAILED, EMB_NAMESPACE_NOT_FOUND, and what the provider throws
 */
export async function openDrain(
  setup: {
    readonly store: Pick<Store, "changes" | "namespaces">;
    readonly provider: EmbeddingProvider;
    readonly chunker: Chunker;
    readonly witnessMinCosine: number;
    readonly signal: AbortSignal;
    readonly stopping?: AbortSignal;
  },
  record: NamespaceRecord,
): Promise<ChangeDrain> {
  const { store, provider, signal, stopping } = setup;
  const chunker = sealedChunker(record.seal, setup.chunker);
  const writer = await store.namespaces.openWriter(record, {
    ...expectedSeal(provider.profile),
    chunkerId: chunker.id,
  });
  await checkWitness(setup, record, setup.witnessMinCosine);
  return {
    changes: store.changes,
    writer,
    chunker,
    meter: createLiveMeter(provider),
    recent: new RecentVectors(RECENT_VECTOR_BYTES),
    sameSpace: sameSpace(writer.record, await store.namespaces.list(), setup.witnessMinCosine),
    signal,
    stopping,
  };
}
