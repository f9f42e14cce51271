import {
  decideWitness,
  EmbError,
  embedProbes,
  fingerprint,
  isEmbError,
  namespaceName,
  PROBE_TEXTS,
  spaceId,
  witnessFailed,
  type NamespaceMode,
  type Profile,
} from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import type { NamespaceAddress, NamespaceRecord, Run, RunState, Seal, Store } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { fillShard } from "./fill-shard.js";
import { takeIn, type IntakeReport } from "./intake.js";
import { RecentVectors } from "./recent-vectors.js";
import { statesBefore, UNFINISHED } from "./run-state.js";
import type { Source } from "./source.js";
import { decideTarget } from "./target.js";
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

export interface ReingestSetup extends ContinueSetup {
  readonly base: string;
  readonly mode: NamespaceMode;
  readonly source: Source;
  readonly shardDocuments: number;
  readonly newRunId: () => string;
}

export type Progress =
  | {
      readonly kind: "run";
      readonly runId: string;
      readonly namespace: string;
      readonly resumed: boolean;
      /** When the source was read, for a run that does not read it again; null: it is read now. */
      readonly sourceReadAt: Date | null;
    }
  | { readonly kind: "intake"; readonly seen: number }
  | { readonly kind: "taken-in"; readonly report: IntakeReport }
  /** Documents of the whole base; chunks committed and embedded by this process. */
  | {
      readonly kind: "fill";
      readonly documents: number;
      readonly documentsTotal: number;
      readonly chunks: number;
      readonly embedded: number;
    }
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "index" }
  | { readonly kind: "verify"; readonly chunks: number; readonly chunksTotal: number };

export interface ReingestReport {
  readonly runId: string;
  readonly namespace: string;
  readonly state: RunState;
  readonly reason: string;
  readonly resumed: boolean;
  readonly documents: number;
  readonly intake: IntakeReport | null;
  readonly chunks: {
    readonly total: number;
    readonly embedded: number;
    readonly skipped: number;
    readonly failed: number;
  };
  readonly tokens: number;
  /** null: the manifest has no price. */
  readonly costUsd: number | null;
  readonly seconds: number;
  readonly verification: Verification;
}

/**
 * Brings the namespace of the provider's profile up to the source, beside every other namespace of the base: plan, fill, index, verify, ready.
 * An unfinished run of the same source is gone on with from its cursors; otherwise a new run is made, which passes over everything that is
 * unchanged. A negative verification is not an error: the report says `failed`; damage that it found is repaired by one more run first.
 * @throws EmbError EMB_NAMESPACE_MODE_MISMATCH, EMB_NAMESPACE_OCCUPIED, EMB_SEAL_MISMATCH (before anything is embedded or written),
 *   and what source, provider and store throw; the signal's reason on abort. The run then stays where it is, to be gone on with.
 */
export async function reingest(setup: ReingestSetup, repairs = 1): Promise<ReingestReport> {
  const startMs = setup.nowMs();
  const address = targetAddress(setup);
  const record = await openTarget(setup, address);
  const { run, resumed } = await openRun(setup, record);
  setup.onProgress({
    kind: "run",
    runId: run.id,
    namespace: address.namespace,
    resumed,
    sourceReadAt: run.intakeDone ? run.createdAt : null,
  });
  const intake = run.intakeDone ? null : await readSource(setup, run);
  const { run: ended, verification } = await continueRun(setup, run, record);
  if (!verification.ok && verification.damaged.length > 0 && repairs > 0) return reingest(setup, repairs - 1);
  return report(setup, { run: ended, resumed, intake, verification, startMs });
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
  await checkWitness(setup, record);
  await step(store, run.id, "fill");
  await fillRun(setup, run.id, writer);
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
    onProgress: (chunks) =>
      setup.onProgress({
        kind: "verify",
        chunks,
        chunksTotal,
      }),
  });
  // What is damaged or was set aside is pending again, so that the same command repairs it.
  if (!verification.ok) {
    await writer.forget(setAside.map(({ documentId }) => documentId));
    await writer.forget(verification.damaged, { chunks: true });
  }
  return { run: await finish(setup, run, record, verification), verification };
}

/** Other weights behind the profile's name have an equal fingerprint: only their vectors tell, and these must not meet the stored ones. */
async function checkWitness({ provider, limits, signal }: ContinueSetup, { namespace, seal }: NamespaceRecord) {
  const stored = seal.witness.map(({ vector }) => vector);
  const minimum = limits.witnessMinCosine;
  const { ok, minCosine } = decideWitness(stored, await embedProbes(provider, seal.witness, signal), minimum);
  if (!ok) throw witnessFailed({ namespace, profile: provider.profile.name, minCosine, minimum });
}

const expectedSeal = (profile: Profile) => ({
  profile: profile.name,
  spaceId: spaceId(profile),
  fingerprint: fingerprint(profile),
  dims: profile.dims,
});

export const targetAddress = ({
  base,
  mode,
  provider,
  store,
}: Pick<ReingestSetup, "base" | "mode" | "provider" | "store">): NamespaceAddress => ({
  ...namespaceName({ base, profile: provider.profile, mode, maxLength: store.capabilities.maxNamespaceBytes }),
  mode,
});

/** The target's catalogue record, made with a fresh seal when there is none. Refusals come before the provider is asked for anything. */
async function openTarget(setup: ReingestSetup, address: NamespaceAddress): Promise<NamespaceRecord> {
  const { store, provider, chunker, signal } = setup;
  const { profile } = provider;
  const decision = decideTarget({
    address,
    profile,
    chunkerId: chunker.id,
    base: await store.namespaces.list(address.base),
    baseMode: await store.namespaces.modeOf(address.base),
  });
  if (decision.kind === "refused") throw decision.error;
  if (decision.kind === "reuse") return decision.record;

  const probes = (["document", "query"] as const).flatMap((side) => PROBE_TEXTS[side].map((text) => ({ side, text })));
  const vectors = await embedProbes(provider, probes, signal);
  const { dims, similarity, storage, modelId } = profile;
  const seal: Seal = {
    ...expectedSeal(profile),
    chunkerId: chunker.id,
    provider: profile.provider,
    modelId,
    dims,
    similarity,
    storage,
    witness: probes.map((probe, place) => ({
      ...probe,
      vector: vectors[place]!,
    })),
  };
  return store.namespaces.create(address, seal);
}

async function openRun(setup: ReingestSetup, record: NamespaceRecord): Promise<{ run: Run; resumed: boolean }> {
  const { store, source } = setup;
  const runs = await store.runs.list({ base: record.base, states: UNFINISHED });
  const unfinished = runs.find(({ namespaceId }) => namespaceId === record.id);
  const replaced = unfinished !== undefined && unfinished.source !== source.identity;
  // A source that was moved or given up must not stand in the way for ever. What it committed stays.
  if (replaced) await step(store, unfinished.id, "failed", `replaced by a run from ${source.identity}`);
  if (unfinished === undefined || replaced) {
    const version = await store.documents.nextVersion(); // drawn before the source is read: a later change outranks this run
    const run = await store.runs.create({
      id: setup.newRunId(),
      base: record.base,
      namespaceId: record.id,
      profile: record.seal.profile,
      source: source.identity,
      version,
    });
    await store.audit.append({
      action: "run.started",
      actor: setup.actor,
      detail: {
        run_id: run.id,
        namespace: record.namespace,
        profile: record.seal.profile,
        source: source.identity,
      },
    });
    return { run, resumed: false };
  }
  return { run: unfinished, resumed: true };
}

async function readSource(setup: ReingestSetup, run: Run): Promise<IntakeReport> {
  const { store, source, signal } = setup;
  const taken = await takeIn({
    documents: store.documents,
    source,
    base: run.base,
    runId: run.id,
    version: run.version,
    signal,
    onSetAside: (failures) => store.runs.recordFailures(run.id, failures),
    onProgress: (seen) =>
      setup.onProgress({
        kind: "intake",
        seen,
      }),
  }).catch(async (error: unknown) => {
    // A source that is not there or has nothing would leave a run that only this source could finish.
    if (isEmbError(error) && NO_SOURCE.has(error.code)) await step(store, run.id, "failed", error.message);
    throw error;
  });
  await store.runs.cutShards(run.id, setup.shardDocuments);
  setup.onProgress({ kind: "taken-in", report: taken });
  return taken;
}

const NO_SOURCE: ReadonlySet<string> = new Set(["EMB_SOURCE_EMPTY", "EMB_SOURCE_MISSING", "EMB_SOURCE_INVALID"]);

/** Takes shards until every one is done; waits for those that another holder has. */
async function fillRun(
  setup: ContinueSetup,
  runId: string,
  writer: Awaited<ReturnType<Store["namespaces"]["openWriter"]>>,
): Promise<void> {
  const { store, provider, chunker, signal, commitRows, nowMs } = setup;
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
      const run = await store.runs.get(runId);
      if (run === null || run.shards.done === run.shards.total) return;
      if (run.state !== "fill") throw stopped(run);
      setup.onProgress({
        kind: "waiting",
        reason: `${run.shards.total - run.shards.done} shards are held by another process`,
      });
      await setup.sleep(LEASE_POLL_MS, signal);
      continue;
    }
    await fillShard({
      runs: store.runs,
      writer,
      lease,
      chunker,
      provider,
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

/** Moves the run on, or stops when somebody else moved it meanwhile (paused, aborted, rolled back). A step taken already is not an error. */
async function step(store: Store, runId: string, to: RunState, reason = ""): Promise<void> {
  if (await store.runs.transition(runId, { from: [...statesBefore(to), to], to, reason })) return;
  const run = await store.runs.get(runId);
  if (run !== null && pastStep(run.state, to)) return;
  throw stopped(run);
}

/** A resumed run may stand further on than the step: it goes on from there, and repeating finished steps is harmless. */
const ORDER: readonly RunState[] = ["plan", "fill", "index", "verify"];
const pastStep = (state: RunState, to: RunState): boolean =>
  ORDER.includes(state) && ORDER.includes(to) && ORDER.indexOf(state) > ORDER.indexOf(to);

const stopped = (run: Run | null): EmbError =>
  new EmbError(
    "EMB_RUN_NOT_READY",
    `run ${run?.id ?? "unknown"}: expected it to go on, seen state ${run?.state ?? "missing"} ${run?.reason ?? ""}`.trim(),
    {
      hint: "emb status shows who stopped it; the same command starts again.",
    },
  );

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
      reason: negative.join("; "),
    },
  });
  return (await store.runs.get(run.id)) ?? { ...run, state: to };
}

function report(
  setup: ContinueSetup,
  seen: { run: Run; resumed: boolean; intake: IntakeReport | null; verification: Verification; startMs: number },
): ReingestReport {
  const { run, verification } = seen;
  const { embedded, failed, tokens } = run.counters;
  const price = setup.provider.profile.pricePerMillionTokens;
  return {
    runId: run.id,
    namespace: verification.namespace,
    state: run.state,
    reason: run.reason,
    resumed: seen.resumed,
    documents: run.documentsTotal,
    intake: seen.intake,
    verification,
    tokens,
    chunks: {
      total: verification.found,
      embedded,
      skipped: Math.max(verification.found - embedded, 0),
      failed,
    },
    costUsd: price === null ? null : (tokens / 1e6) * price,
    seconds: (setup.nowMs() - seen.startMs) / 1e3,
  };
}
