import { isEmbError } from "@emb/manifest";
import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type { Documents, NamespaceReader, NamespaceRecord, Run, Store } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { eitherSignal, fillRun } from "./fill-run.js";
import { openFilling, type Filling } from "./filling.js";
import type { FilledBy } from "./hand-over.js";
import { expectedSeal } from "./open-target.js";
import type { Progress } from "./run-progress.js";
import { pauseRun } from "./run-control.js";
import { WORKING } from "./run-state.js";
import { step, stopped } from "./run-step.js";
import { setAsideTexts } from "./set-aside-texts.js";
import { verifyNamespace, type Check, type Verification, type VerifyLimits } from "./verify-namespace.js";

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
 * Takes a run whose source was read to its end: fill, index, verify, ready or failed. Any number of processes may do so at once; each takes the
 * shards it can get.
 * @param opened what `openFilling` gave a moment ago; default: it is opened now
 * @throws EmbError EMB_WITNESS_FAILED before anything is embedded, and as `reingest`
 */
export async function continueRun(
  setup: ContinueSetup,
  run: Run,
  record: NamespaceRecord,
  opened?: Filling,
): Promise<{ run: Run; verification: Verification }> {
  const { store, provider, signal } = setup;
  const soon = eitherSignal(setup);
  const { profile } = provider;
  const filling = opened ?? (await openFilling(setup, run, record));
  const { writer, chunker } = filling;
  await step(store, run.id, "fill");
  await fillRun(setup, run.id, filling).catch(async (error: unknown) => {
    if (isEmbError(error, "EMB_BUDGET_REACHED")) await pauseRun(setup, run, error.message);
    throw await whyStopped(setup, run.id, error);
  });

  await step(store, run.id, "index");
  setup.onProgress({ kind: "index" });
  const index = await writer.buildIndex({ signal }).catch(async (error: unknown) => {
    throw await whyStopped(setup, run.id, error);
  });
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

/** A run that somebody ended says so, instead of what its end broke here (a table that is gone, a build that was cancelled). */
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
