import { isEmbError, type NamespaceMode } from "@emb/manifest";
import type { NamespaceRecord, Run } from "@emb/store";
import type { ContinueSetup } from "./continue-run.js";
import { openFilling, type Filling } from "./filling.js";
import { handOver } from "./hand-over.js";
import { takeIn, type IntakeReport } from "./intake.js";
import { expectedSeal, openTarget, targetAddress } from "./open-target.js";
import { planReingest } from "./plan-reingest.js";
import { resumeRun } from "./run-control.js";
import { checkBudget } from "./run-meter.js";
import { reportOf, sumOf, type EndedRun, type ReingestReport } from "./reingest-report.js";
import { UNFINISHED } from "./run-state.js";
import { step } from "./run-step.js";
import { sourceName, type RunSource, type Source } from "./source.js";
import { nothingStored } from "./source-error.js";

export interface ReingestSetup extends ContinueSetup {
  readonly base: string;
  readonly mode: NamespaceMode;
  readonly source: RunSource;
  readonly shardDocuments: number;
  readonly newRunId: () => string;
  /** The most that the run may cost, from its start on, in USD; null: no limit, or the one that an unfinished run has. */
  readonly maxCostUsd?: number | null;
}

/**
 * Brings the namespace of the provider's profile up to the source, beside every other namespace of the base: plan, fill, index, verify, ready.
 * An unfinished run of the same source is gone on with from its cursors; otherwise a new run is made, which passes over everything that is
 * unchanged. A negative verification is not an error: the report says `failed`; damage that it found is repaired by one more run first.
 * @throws EmbError EMB_NAMESPACE_MODE_MISMATCH, EMB_NAMESPACE_OCCUPIED, EMB_SEAL_MISMATCH, EMB_PRICE_UNKNOWN, EMB_BUDGET_TOO_LOW (before anything is
 *   embedded or written), EMB_BUDGET_REACHED (the run is paused), and what source, provider and store throw; the signal's reason on abort. The run then stays where it is, to be gone on with.
 */
export async function reingest(setup: ReingestSetup): Promise<ReingestReport> {
  const startMs = setup.nowMs();
  const { maxCostUsd = null } = setup;
  if (maxCostUsd !== null) await checkLimit(setup, maxCostUsd);
  const first = await runOnce(setup);
  const { verification } = first;
  const repair =
    verification !== null && !verification.ok && verification.damaged.length > 0
      ? await runOnce(afterSpending(setup, first.run))
      : null;
  return reportOf(repair ?? first, {
    spend: repair === null ? first.run.spend : sumOf(first.run.spend, repair.run.spend),
    seconds: (setup.nowMs() - startMs) / 1000,
  });
}

/** Before anything is embedded or written. */
async function checkLimit(setup: ReingestSetup, maxCostUsd: number): Promise<void> {
  const { provider, source } = setup;
  const plan = await planReingest(setup);
  const { unfinished } = plan;
  checkBudget({
    profile: provider.profile.name,
    maxCostUsd,
    planUsd: plan.costUsd,
    exact: plan.tokensExact,
    spentUsd: unfinished?.source === sourceName(source) ? (unfinished.spend.costUsd ?? 0) : 0,
  });
}

/** The limit is the whole call's: a repair has what the first run left of it. */
const afterSpending = (setup: ReingestSetup, { spend }: Run): ReingestSetup =>
  setup.maxCostUsd == null ? setup : { ...setup, maxCostUsd: Math.max(setup.maxCostUsd - (spend.costUsd ?? 0), 0) };

/** One run to its end, which may be that its verification was negative. */
async function runOnce(setup: ReingestSetup): Promise<EndedRun> {
  const address = targetAddress(setup);
  const record = await openTarget(setup, address);
  const { run, resumed } = await openRun(setup, record);
  if (setup.maxCostUsd != null) await setup.store.runs.limitSpend(run.id, setup.maxCostUsd);
  // before its shards are cut: a worker may be at its end before this process looks again
  if (setup.acceptFailures > 0) await setup.store.runs.acceptFailures(run.id, setup.acceptFailures);
  setup.onProgress({
    kind: "run",
    runId: run.id,
    namespace: address.namespace,
    resumed,
    sourceReadAt: run.intakeDone ? run.createdAt : null,
  });
  const { intake, filling } = run.intakeDone ? NOTHING_READ : await readSource(setup, run, record);
  const ended = await handOver(setup, run, record, filling);
  return { ...ended, resumed, intake, found: ended.verification?.found ?? (await countChunks(setup, record)) };
}

/** Of a run that others filled. */
async function countChunks({ store, provider }: ReingestSetup, record: NamespaceRecord): Promise<number> {
  if ((await store.namespaces.find(record))?.id !== record.id) return 0; // dropped by an abort
  const reader = await store.namespaces.openReader(record, expectedSeal(provider.profile), { strict: true });
  return (await reader.count()).chunks;
}

async function openRun(setup: ReingestSetup, record: NamespaceRecord): Promise<{ run: Run; resumed: boolean }> {
  const { store, source } = setup;
  const runs = await store.runs.list({ base: record.base, states: UNFINISHED });
  const unfinished = runs.find(({ namespaceId }) => namespaceId === record.id);
  const replaced = unfinished !== undefined && unfinished.source !== sourceName(source);
  // A source that was moved or given up must not stand in the way for ever. What it committed stays.
  if (replaced) await step(store, unfinished.id, "failed", `replaced by a run from ${sourceName(source)}`);
  if (unfinished === undefined || replaced) {
    const version = await store.documents.nextVersion(); // drawn before the source is read: a later change outranks this run
    const run = await store.runs.createAlone(
      {
        id: setup.newRunId(),
        base: record.base,
        namespaceId: record.id,
        profile: record.seal.profile,
        source: sourceName(source),
        version,
        partial: source.partial !== undefined,
      },
      UNFINISHED,
    );
    // two that fill the same documents pay for each twice: whoever was quicker made the run for both
    if (run === null) return openRun(setup, record);
    await store.audit.append({
      action: "run.started",
      actor: setup.actor,
      detail: {
        run_id: run.id,
        namespace: record.namespace,
        profile: record.seal.profile,
        source: sourceName(source),
        accept_failures: setup.acceptFailures,
        max_cost_usd: setup.maxCostUsd ?? null,
      },
    });
    return { run, resumed: false };
  }
  return { run: unfinished.state === "paused" ? await resumeRun(setup, unfinished) : unfinished, resumed: true };
}

interface SourceRead {
  readonly intake: IntakeReport | null;
  /** Where this process fills. */
  readonly filling?: Filling | undefined;
}

const NOTHING_READ: SourceRead = { intake: null };

/**
 * Reads the source to its end, and cuts what there is to fill into shards. Stored documents need no reading. What is to be filled is opened beside
 * that: the database and the model do not wait for each other.
 */
async function readSource(setup: ReingestSetup, run: Run, record: NamespaceRecord): Promise<SourceRead> {
  const { store, source, shardDocuments, filledBy = "local" } = setup;
  const taken = source.read === null ? null : await takeInFor(setup, run, source);
  const cutting = store.runs.cutShards(run.id, shardDocuments, { wake: filledBy !== "local" });
  const opening = filledBy === "queue" ? undefined : openFilling(setup, run, record);
  opening?.catch(() => {}); // reported below
  try {
    const { documents } = await cutting;
    if (taken !== null) setup.onProgress({ kind: "taken-in", report: taken });
    else if (documents === 0) {
      const error = nothingStored(run.base);
      await step(store, run.id, "failed", error.message);
      throw error;
    }
    return { intake: taken, filling: await opening };
  } finally {
    await opening?.catch(() => {}); // whatever happened, nothing is asked of the model behind the caller's back
  }
}

/** Between two looks whether somebody stopped a run whose source is read: a batch takes a few milliseconds. */
const LOOK_MS = 1_000;

async function takeInFor(
  { store, signal, onProgress, nowMs }: ReingestSetup,
  run: Run,
  source: Source,
): Promise<IntakeReport> {
  let lookedAtMs = nowMs();
  const look = async () => {
    if (nowMs() - lookedAtMs < LOOK_MS) return;
    lookedAtMs = nowMs();
    await step(store, run.id, "plan");
  };
  return takeIn({
    documents: store.documents,
    source,
    base: run.base,
    runId: run.id,
    version: run.version,
    signal,
    onSetAside: (failures) => store.runs.recordFailures(run.id, failures),
    onProgress: (seen) => onProgress({ kind: "intake", seen }),
    onTaken: async (ids) => {
      if (run.partial) await store.runs.addToScope(run.id, ids);
      await look();
    },
  }).catch(async (error: unknown) => {
    // A source that is not there or has nothing would leave a run that only this source could finish.
    if (isEmbError(error) && NO_SOURCE.has(error.code)) await step(store, run.id, "failed", error.message);
    throw error;
  });
}

const NO_SOURCE: ReadonlySet<string> = new Set(["EMB_SOURCE_EMPTY", "EMB_SOURCE_MISSING", "EMB_SOURCE_INVALID"]);
