import { isEmbError } from "@emb/manifest";
import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type { NamespaceRecord, NamespaceWriter, Run, Store } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { fillShard } from "./fill-shard.js";
import { checkWitness, expectedSeal } from "./open-target.js";
import { RecentVectors } from "./recent-vectors.js";
import type { Progress } from "./run-progress.js";
import { pauseRun } from "./run-control.js";
import { WORKING } from "./run-state.js";
import { createRunMeter } from "./run-meter.js";
import { step, stopped } from "./run-step.js";
import { verifyNamespace, type Verification, type VerifyLimits } from "./verify-namespace.js";

/** Between two looks for a shard that another holder may have let go. */
const LEASE_POLL_MS = 1000;
const RECENT_VECTOR_BYTES = 16 * 1024 * 1024;
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
  /** Set-aside texts with which the run may still become ready. */
  readonly acceptFailures: number;
  /** Who asked, for the audit log. */
  readonly actor: string;
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Takes a run whose source was read to its end: fill, index, verify, ready or failed. Any number of processes may do so at once; each takes the
 * shards it can get.
 * @throws EmbError EMB_WITNESS_FAILED before anything is embedded, and as `reingest`
 */
export async function continueRun(
  setup: ContinueSetup,
  run: Run,
  record: NamespaceRecord,
): Promise<{ run: Run; verification: Verification }> {
  const { store, provider, chunker, signal } = setup;
  const { profile } = provider;
  const writer = await store.namespaces.openWriter(record, { ...expectedSeal(profile), chunkerId: chunker.id });
  await checkWitness(setup, record, setup.limits.witnessMinCosine);
  await step(store, run.id, "fill");
  await fillRun(setup, run, writer).catch(async (error: unknown) => {
    if (isEmbError(error, "EMB_BUDGET_REACHED")) await pauseRun(setup, run, error.message);
    throw await whyStopped(setup, run.id, error);
  });
  await writer.removeDead();

  await step(store, run.id, "index");
  setup.onProgress({ kind: "index" });
  await writer.buildIndex({ signal });

  await step(store, run.id, "verify");
  const reader = await store.namespaces.openReader(record, expectedSeal(profile), { strict: true });
  const setAside = await store.runs.failures(run.id, MAX_NAMED_FAILURES);
  const { chunks: chunksTotal } = await reader.count();
  const verification = await verifyNamespace({
    documents: store.documents,
    reader,
    provider,
    chunker,
    setAside,
    signal,
    acceptFailures: setup.acceptFailures,
    limits: setup.limits,
    onProgress: (chunks) => setup.onProgress({ kind: "verify", chunks, chunksTotal }),
  });
  // What is damaged or was set aside is pending again, so that the same command repairs it.
  if (!verification.ok) {
    await writer.forget(setAside.map(({ documentId }) => documentId));
    await writer.forget(verification.damaged, { chunks: true });
  }
  return { run: await finish(setup, run, record, verification), verification };
}

/** Takes shards until every one is done; waits for those that another holder has. */
async function fillRun(setup: ContinueSetup, { id: runId }: Run, writer: NamespaceWriter): Promise<void> {
  const { store, provider, tokenizer, chunker, signal, commitRows, nowMs } = setup;
  const run = await store.runs.get(runId); // its limit may have been set after it was read
  if (run === null) throw stopped(run);
  const meter = createRunMeter({ runs: store.runs, run, provider, tokenizer });
  const recent = new RecentVectors(Math.max(RECENT_VECTOR_BYTES, 2 * commitRows * provider.profile.dims * 4));
  const { live } = await store.documents.count(writer.record.base);
  const progress = {
    documents: (await writer.countCommitted({ after: null, through: null })).documents,
    chunks: 0,
    embedded: 0,
  };
  const tell = () => setup.onProgress({ kind: "fill", documentsTotal: live, ...progress });
  tell();
  for (;;) {
    signal.throwIfAborted();
    const lease = await store.runs.claimShard(runId, { owner: setup.actor, leaseMs: setup.leaseMs });
    if (lease === null) {
      const now = await store.runs.get(runId);
      if (now === null || now.shards.done === now.shards.total) return;
      if (now.state !== "fill") throw stopped(now);
      setup.onProgress({
        kind: "waiting",
        reason: `${now.shards.total - now.shards.done} shards are held by another process`,
      });
      await setup.sleep(LEASE_POLL_MS, signal);
      continue;
    }
    await fillShard({
      runs: store.runs,
      writer,
      lease,
      chunker,
      meter,
      recent,
      commitRows,
      signal,
      nowMs,
      onCommit: ({ documents, chunks, embedded }) => {
        progress.documents += documents;
        progress.chunks += chunks;
        progress.embedded += embedded;
        tell();
      },
    });
  }
}

/** A run that somebody ended says so, instead of what its end broke here (a table that is gone). */
async function whyStopped({ store, signal }: ContinueSetup, runId: string, error: unknown): Promise<unknown> {
  if (signal.aborted || isEmbError(error, "EMB_BUDGET_REACHED")) return error;
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
