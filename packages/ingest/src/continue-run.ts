import { isEmbError } from "@emb/manifest";
import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type {
  Documents,
  NamespaceReader,
  NamespaceRecord,
  NamespaceWriter,
  Run,
  ShardCounters,
  Store,
} from "@emb/store";
import type { Chunker } from "./chunker.js";
import { createCommitPace, type CommitPace } from "./commit-pace.js";
import { fillShard, type FillShard } from "./fill-shard.js";
import type { FilledBy } from "./hand-over.js";
import { drainChanges } from "./keep-fresh.js";
import { checkWitness, expectedSeal } from "./open-target.js";
import { OwnContents } from "./own-contents.js";
import { RecentVectors } from "./recent-vectors.js";
import { documentsShown, type Progress } from "./run-progress.js";
import { pauseRun } from "./run-control.js";
import { WORKING } from "./run-state.js";
import { createRunMeter } from "./run-meter.js";
import { step, stopped } from "./run-step.js";
import { sameSpace } from "./same-space.js";
import { setAsideTexts } from "./set-aside-texts.js";
import { sealedChunker } from "./whole-texts.js";
import { verifyNamespace, type Check, type Verification, type VerifyLimits } from "./verify-namespace.js";

/** Between two looks for a shard that another holder may have let go. */
const LEASE_POLL_MS = 1000;
const RECENT_VECTOR_BYTES = 8 * 1024 * 1024;
/** Named in one go when a run ends with texts set aside. */
const MAX_NAMED_FAILURES = 10_000;

/** What going on with a run needs, whoever started it. */
export interface ContinueSetup {
  readonly store: Store;
  /** Of the run's profile. */
  readonly provider: EmbeddingProvider;
  readonly chunker: Chunker;
  /** Of the same profile: says what a call will take at most, and what it took where the service does not. */
  readonly tokenizer: Tokenizer;
  /** Most rows of one commit. */
  readonly commitRows: number;
  /** A shard whose holder shows no sign of life for this long may be taken by another. */
  readonly leaseMs: number;
  readonly limits: VerifyLimits;
  /** Set-aside texts with which the run may still become ready; 0: as many as it was told to accept before. */
  readonly acceptFailures: number;
  /** Who asked, for the audit log. */
  readonly actor: string;
  /** Who holds the shards: one name for each process. Default: `actor`. */
  readonly owner?: string;
  /** Default: `local`. */
  readonly filledBy?: FilledBy;
  /** Shards that this process fills at once. Default: 1. */
  readonly shardsAtOnce?: number;
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends at once, whatever is under way; what is committed is kept. */
  readonly signal: AbortSignal;
  /** Ends at the next good moment: takes no more shards, commits the batches under way, gives the shards back. Throws its reason. */
  readonly stopping?: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Checks that the model still makes the vectors of the seal, and learns how fast it is before the first commit is sized.
 * @throws EmbError EMB_WITNESS_FAILED, and what the provider throws
 */
export async function checkModel(setup: ContinueSetup, record: NamespaceRecord): Promise<CommitPace> {
  const { commitRows, nowMs, limits } = setup;
  const pace = createCommitPace({ commitRows, nowMs });
  await pace.measure(record.seal.witness.length, () => checkWitness(setup, record, limits.witnessMinCosine));
  return pace;
}

/**
 * Takes a run whose source was read to its end: fill, index, verify, ready or failed. Any number of processes may do so at once; each takes the
 * shards it can get.
 * @param checked what `checkModel` said a moment ago; default: it is asked
 * @throws EmbError EMB_WITNESS_FAILED before anything is embedded, and as `reingest`
 */
export async function continueRun(
  given: ContinueSetup,
  run: Run,
  record: NamespaceRecord,
  checked?: CommitPace,
): Promise<{ run: Run; verification: Verification }> {
  const setup = { ...given, chunker: sealedChunker(record.seal, given.chunker) };
  const { store, provider, chunker, signal } = setup;
  const soon = eitherSignal(setup);
  const { profile } = provider;
  const writer = await store.namespaces.openWriter(record, { ...expectedSeal(profile), chunkerId: chunker.id });
  const pace = checked ?? (await checkModel(setup, record));
  await step(store, run.id, "fill");
  await fillRun(setup, run, { writer, pace }).catch(async (error: unknown) => {
    if (isEmbError(error, "EMB_BUDGET_REACHED")) await pauseRun(setup, run, error.message);
    throw await whyStopped(setup, run.id, error);
  });

  await step(store, run.id, "index");
  setup.onProgress({ kind: "index" });
  const index = await writer.buildIndex({ signal });
  if (tooWide(store, record)) setup.onProgress({ kind: "warning", message: index.reason });
  soon.throwIfAborted();

  await step(store, run.id, "verify");
  const acceptFailures = await accepted(setup, run);
  const reader = await store.namespaces.openReader(record, expectedSeal(profile), { strict: true });
  const setAside = await setAsideTexts(store, { runId: run.id, namespaceId: record.id, limit: MAX_NAMED_FAILURES });
  const { chunks: chunksTotal } = await reader.count();
  const { documents, whole } = await filledDocuments(setup, run, reader);
  const verified = await verifyNamespace({
    documents,
    reader,
    provider,
    chunker,
    setAside,
    signal: soon, // reads only, so that nothing is lost
    acceptFailures,
    limits: setup.limits,
    filling: run.partial, // what a part leaves to another run is shown as it was, and is no damage
    onProgress: (chunks) => setup.onProgress({ kind: "verify", chunks, chunksTotal }),
  });
  const verification =
    whole === null ? verified : { ...verified, ok: verified.ok && whole.ok, checks: [...verified.checks, whole] };
  // What is damaged or was set aside is pending again, so that the same command repairs it.
  if (!verification.ok) {
    // the next run, which may have begun by then, takes in what is not shown yet: that is no damage
    const now = await store.runs.get(run.id);
    if (now === null || !WORKING.includes(now.state)) throw stopped(now);
    await writer.forget(setAside.map(({ documentId }) => documentId));
    await writer.forget(verification.damaged, { chunks: true });
  }
  const ended = await finish({ ...setup, acceptFailures }, run, record, verification);
  // a namespace that serves is kept fresh without a run
  if (!verification.ok && record.state === "ready") await store.changes.queuePending(record.id);
  return { run: ended, verification };
}

/** Whoever brings the run to its end holds it to what was accepted where it was started. */
const accepted = async ({ store, acceptFailures }: ContinueSetup, run: Run): Promise<number> =>
  acceptFailures > 0 ? acceptFailures : ((await store.runs.get(run.id)) ?? run).acceptFailures;

const tooWide = ({ capabilities }: Store, { seal }: NamespaceRecord): boolean =>
  seal.dims > capabilities.maxIndexedDims[seal.storage];

const eitherSignal = ({ signal, stopping }: Pick<ContinueSetup, "signal" | "stopping">): AbortSignal =>
  stopping === undefined ? signal : AbortSignal.any([signal, stopping]);

/**
 * What verification holds the namespace to: after a partial run what was filled so far, and then the namespace is ready only when that is everything.
 */
async function filledDocuments(
  { store: { documents } }: ContinueSetup,
  { partial, base }: Run,
  reader: NamespaceReader,
): Promise<{ documents: Pick<Documents, "read">; whole: Check | null }> {
  if (!partial) return { documents, whole: null };
  const { live } = await documents.count(base);
  const lag = await reader.lag();
  return {
    documents: { read: (page) => documents.read({ ...page, committedIn: reader.record.id }) },
    whole: {
      name: "documents",
      ok: lag === 0,
      seen: `${Math.max(live - lag, 0)} of ${live}: the run was told to fill a part`,
      want: "every document of the base: run it without --limit and --scope",
    },
  };
}

/** Takes shards until every one is done; waits for those that another holder has. */
async function fillRun(
  setup: ContinueSetup,
  { id: runId }: Run,
  { writer, pace }: { writer: NamespaceWriter; pace: CommitPace },
): Promise<void> {
  const { store, provider, tokenizer, commitRows, shardsAtOnce = 1 } = setup;
  const run = await store.runs.get(runId); // its limit may have been set after it was read
  if (run === null) throw stopped(run);
  const meter = createRunMeter({ runs: store.runs, run, provider, tokenizer });
  const donors = sameSpace(writer.record, await store.namespaces.list(), setup.limits.witnessMinCosine);
  const recent = new RecentVectors(Math.max(RECENT_VECTOR_BYTES, 2 * commitRows * provider.profile.dims * 4));
  const own = donors.length === 0 && (await writer.isEmpty()) ? new OwnContents() : null;
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
      takeShards({ ...setup, stopping }, runId, {
        runs: store.runs,
        writer,
        meter,
        recent,
        own,
        sameSpace: donors,
        pace,
        onCommit,
      }),
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
    changes,
    writer,
    meter,
    recent,
    own,
    sameSpace: donors,
    checkModel: () => checkWitness(setup, writer.record, setup.limits.witnessMinCosine),
  });
  soon.throwIfAborted();
  if (drained.stopped !== null) throw drained.stopped;
}

/** One shard after the other, until none is free. */
async function takeShards(
  setup: ContinueSetup & { readonly stopping: AbortSignal },
  runId: string,
  shared: Pick<FillShard, "writer" | "meter" | "recent" | "own" | "sameSpace" | "pace" | "onCommit"> &
    Pick<Store, "runs">,
): Promise<void> {
  const { chunker, signal, stopping, leaseMs, actor, owner = actor } = setup;
  for (;;) {
    signal.throwIfAborted();
    stopping.throwIfAborted();
    const lease = await shared.runs.claimShard(runId, { owner, leaseMs });
    if (lease === null) return;
    await fillShard({ ...shared, lease, chunker, signal, stopping });
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

/** A run that somebody ended says so, instead of what its end broke here (a table that is gone). */
async function whyStopped(setup: ContinueSetup, runId: string, error: unknown): Promise<unknown> {
  const { store } = setup;
  if (eitherSignal(setup).aborted || isEmbError(error, "EMB_BUDGET_REACHED")) return error;
  const run = await store.runs.get(runId).catch(() => null);
  return run === null || WORKING.includes(run.state) ? error : stopped(run);
}

async function finish(
  setup: ContinueSetup,
  run: Run,
  record: NamespaceRecord,
  verification: Verification,
): Promise<Run> {
  const { store, actor } = setup;
  const negative = verification.checks
    .filter(({ ok }) => !ok)
    .map(({ name, seen, want }) => `${name}: seen ${seen}, want ${want}`);
  if (verification.ok) await store.namespaces.markReady(record.id);
  const to = verification.ok ? "ready" : "failed";
  await step(store, run.id, to, negative.join("; "));
  await store.audit.append({
    action: `run.${to}`,
    actor,
    detail: {
      run_id: run.id,
      namespace: record.namespace,
      profile: record.seal.profile,
      chunks: verification.found,
      drift_pct: verification.driftPct,
      set_aside: verification.setAside,
      accept_failures: setup.acceptFailures,
      reason: negative.join("; "),
    },
  });
  return (await store.runs.get(run.id)) ?? { ...run, state: to };
}
