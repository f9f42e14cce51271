import { isEmbError, type EmbError } from "@emb/manifest";
import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type { Changes, NamespaceRecord, NamespaceWriter, QueuedChange, Store, TextFailure } from "@emb/store";
import { decidePostponement, whyGivenUp } from "./change-postponement.js";
import type { Chunker } from "./chunker.js";
import { createLiveMeter } from "./live-meter.js";
import { checkWitness, openSealedWriter } from "./open-target.js";
import { prepare, type VectorSources } from "./prepare-batch.js";
import { RecentVectors } from "./recent-vectors.js";
import { sameSpace } from "./same-space.js";

/** Claimed and committed together; bounds memory, and what a kill costs. */
const BATCH_CHANGES = 64;
const RECENT_VECTOR_BYTES = 4 * 1024 * 1024;

/** What drains the changes of one namespace. Nothing of it is kept between drains but the recent vectors. */
export interface ChangeDrain extends VectorSources {
  readonly changes: Pick<Changes, "claim" | "giveUp" | "postpone">;
  readonly writer: NamespaceWriter;
  readonly chunker: Chunker;
  /** Nobody else takes a change for so long, also when this process dies; a batch that takes longer is done twice and committed once. */
  readonly leaseMs: number;
  /** Throws unless the model is there and repeats the seal's witness: then a change that fails alone is itself to blame. */
  readonly checkModel: () => Promise<void>;
  /** Ends at once; what was claimed is free again. */
  readonly signal: AbortSignal;
  /** Ends after the batch under way. */
  readonly stopping?: AbortSignal | undefined;
}

export interface DrainReport {
  /** Documents whose chunks were written. */
  readonly written: number;
  /** Written without the texts that the provider refused, or given up because trying again does not help. */
  readonly setAside: number;
  /** Given back, because the provider or the limit of the run does not let them through now. */
  readonly postponed: number;
  /** Why it ended before the queue did. */
  readonly stopped: EmbError | null;
}

/**
 * Shows what waits for a namespace until nothing is free to be taken: claim, chunk, embed what is new, commit. Any number of processes may do so at once,
 * beside a fill of the same namespace. A change that cannot be shown now stays queued, for a while that grows with its attempts; one that fails by
 * itself while the model is sound is set aside; none is lost.
 * @param only these documents
 * @throws store errors, and errors that time does not heal; the signal's reason on abort
 */
export async function drainChanges(drain: ChangeDrain, only?: readonly string[]): Promise<DrainReport> {
  const { changes, writer, leaseMs, signal, stopping } = drain;
  const namespaceId = writer.record.id;
  const total = { written: 0, setAside: 0 };
  for (;;) {
    signal.throwIfAborted();
    if (stopping?.aborted === true) break;
    const claimed = await changes.claim({
      namespaceId,
      limit: BATCH_CHANGES,
      claimMs: leaseMs,
      ...(only !== undefined && { documentIds: only }),
    });
    if (claimed.length === 0) break;
    const shown = await showOrPostpone(drain, claimed);
    total.written += shown.written;
    total.setAside += shown.setAside;
    if (shown.stopped !== null) return { ...total, postponed: shown.postponed, stopped: shown.stopped };
  }
  return { ...total, postponed: 0, stopped: null };
}

/**
 * What cannot be shown now is given back; what never can is found by halves and set aside, so that it holds up no other.
 * @param sound the model was found sound after these changes had failed
 */
async function showOrPostpone(
  drain: ChangeDrain,
  claimed: readonly QueuedChange[],
  sound = false,
): Promise<DrainReport> {
  const { changes, writer, signal } = drain;
  const namespaceId = writer.record.id;
  try {
    const { left, ...shown } = await showChanges(drain, claimed);
    if (shown.stopped !== null) await changes.postpone({ namespaceId, changes: left, waitMs: 0 });
    return { ...shown, postponed: left.length };
  } catch (error) {
    const { isolate, waitMs, rethrow } = decidePostponement({ changes: claimed, error, aborted: signal.aborted });
    // when the store is what fails, the claim runs out by itself; the first error is the one to report
    const giveBack = (given: readonly QueuedChange[]) =>
      changes.postpone({ namespaceId, changes: given, waitMs }).catch(() => {});
    const [first, ...others] = claimed;
    if (!isolate || first === undefined || !(sound || (await isSound(drain)))) {
      await giveBack(claimed);
      if (rethrow || !isEmbError(error)) throw error;
      return { written: 0, setAside: 0, postponed: claimed.length, stopped: error };
    }
    if (others.length === 0) {
      await changes.giveUp({ namespaceId, change: first, ...whyGivenUp(error) });
      return { written: 0, setAside: 1, postponed: 0, stopped: null };
    }
    const half = claimed.length >> 1;
    const rest = claimed.slice(half);
    const before = await showOrPostpone(drain, claimed.slice(0, half), true).catch(async (failure: unknown) => {
      await giveBack(rest);
      throw failure;
    });
    const after = await showOrPostpone(drain, rest, true);
    return {
      written: before.written + after.written,
      setAside: before.setAside + after.setAside,
      postponed: before.postponed + after.postponed,
      stopped: before.stopped ?? after.stopped,
    };
  }
}

const isSound = ({ checkModel }: ChangeDrain): Promise<boolean> =>
  checkModel().then(
    () => true,
    () => false,
  );

async function showChanges(drain: ChangeDrain, claimed: readonly QueuedChange[]) {
  const { writer, chunker, signal } = drain;
  const pending = await writer.readChanged(claimed.map(({ documentId }) => documentId));
  const ids = new Set(pending.map(({ id }) => id));
  const { documents, failures, stopped } = await prepare(
    drain,
    pending.map((document) => {
      const { id, version, contentHash } = document;
      return { id, version, contentHash, chunks: chunker.chunk(document) };
    }),
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

/**
 * Opens a namespace to keep it fresh: with the seal that it has, and a model that repeats the seal's witness.
 * @throws EmbError EMB_SEAL_MISMATCH, EMB_WITNESS_FAILED, EMB_NAMESPACE_NOT_FOUND, and what the provider throws
 */
export async function openDrain(
  setup: {
    readonly store: Pick<Store, "changes" | "namespaces">;
    readonly provider: EmbeddingProvider;
    readonly chunker: Chunker;
    readonly tokenizer: Tokenizer;
    readonly leaseMs: number;
    readonly witnessMinCosine: number;
    readonly signal: AbortSignal;
    readonly stopping?: AbortSignal;
  },
  record: NamespaceRecord,
): Promise<ChangeDrain> {
  const { store, provider, tokenizer, leaseMs, signal, stopping } = setup;
  const { writer, chunker } = await openSealedWriter(setup, record);
  const checkModel = () => checkWitness(setup, record, setup.witnessMinCosine);
  await checkModel();
  return {
    checkModel,
    changes: store.changes,
    writer,
    chunker,
    leaseMs,
    meter: createLiveMeter({ changes: store.changes, namespaceId: record.id, provider, tokenizer }),
    recent: new RecentVectors(RECENT_VECTOR_BYTES),
    own: null,
    sameSpace: sameSpace(writer.record, await store.namespaces.list(), setup.witnessMinCosine),
    signal,
    stopping,
  };
}
