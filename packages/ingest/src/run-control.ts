import { EmbError } from "@emb/manifest";
import type { NamespaceRecord, Run, RunState, Store } from "@emb/store";
import { queueWhatRunsLeft } from "./ended-runs.js";
import { UNFINISHED, WORKING } from "./run-state.js";

/** Who may move a run, and where it is written down. */
export interface RunControl {
  readonly store: Pick<Store, "audit" | "changes" | "documents" | "namespaces" | "runs">;
  readonly actor: string;
}

const MAX_FAILURES = 1_000_000;

/**
 * Stops a run that is going on, in whatever process: a fill looks at its run's state at each batch, so at most one more batch is committed.
 * A run that is paused already is left as it is.
 * @throws EmbError EMB_RUN_STATE_REFUSED
 */
export async function pauseRun(control: RunControl, run: Run, reason: string): Promise<Run> {
  if (await move(control, run, { from: WORKING, to: "paused", reason, still: ["paused"] }))
    await note(control, "run.paused", run, { reason });
  return current(control, run);
}

/**
 * Lets a paused run go on: from its cursors when its source was read to the end, else from its source.
 * @throws EmbError EMB_RUN_STATE_REFUSED
 */
export async function resumeRun(control: RunControl, run: Run): Promise<Run> {
  const to = run.intakeDone ? "fill" : "plan";
  if (await move(control, run, { from: ["paused"], to, reason: "", still: WORKING }))
    await note(control, "run.resumed", run, {});
  return current(control, run);
}

/**
 * Ends an unfinished run for good, and drops what it filled. A namespace that was ready before may be serving: it is kept, as the fill left it. An abort that
 * was cut off before it dropped anything is gone on with.
 * @throws EmbError EMB_RUN_STATE_REFUSED
 */
export async function abortRun(control: RunControl, run: Run): Promise<{ run: Run; dropped: boolean }> {
  const still: readonly RunState[] = (await leftFilling(control, run)) ? ["aborted"] : [];
  await move(control, run, { from: UNFINISHED, to: "aborted", reason: "aborted by an operator", still });
  const record = await recordOf(control, run);
  const dropped = record?.state === "filling";
  if (dropped) await control.store.namespaces.retire(record.id);
  else await queueWhatRunsLeft(control.store, [run]);
  await note(control, "run.aborted", run, { dropped });
  return { run: await current(control, run), dropped };
}

/**
 * A new run that gives the model once more what the provider refused in an ended run: its source is not read again. Documents that could not be read
 * need their source, so they stay set aside.
 * @returns null when the run set nothing aside that is stored
 * @throws EmbError EMB_RUN_STATE_REFUSED for a run that has not ended, whose namespace is gone, or after which another run has started
 */
export async function retryRun(
  control: RunControl,
  run: Run,
  { newRunId, shardDocuments, wake = false }: { newRunId: () => string; shardDocuments: number; wake?: boolean },
): Promise<{ run: Run; record: NamespaceRecord; texts: number } | null> {
  const { store } = control;
  const record = await recordOf(control, run);
  if (!ENDED.includes(run.state)) throw refused(run, ENDED, "retried");
  if (record === null || record.state === "retired")
    throw refused(run, ["a run whose namespace is still there"], "retried");
  const newest = await newestRun(control, record);
  if (newest?.id !== run.id) throw refused(run, [`the newest run of ${record.namespace}, ${newest?.id}`], "retried");

  const failures = await store.runs.failures(run.id, MAX_FAILURES);
  const refusedTexts = failures.filter(({ ordinal }) => ordinal !== null);
  const changed = await store.changes.setAside(record.id, MAX_FAILURES);
  const texts = refusedTexts.length + changed.reduce((sum, { ordinals }) => sum + Math.max(ordinals.length, 1), 0);
  if (texts === 0) return null;
  const retry = await store.runs.createAlone(
    {
      id: newRunId(),
      base: run.base,
      namespaceId: record.id,
      profile: run.profile,
      source: run.source,
      version: await store.documents.nextVersion(),
      partial: run.partial,
    },
    UNFINISHED,
  );
  if (retry === null) throw refused(run, [`the newest run of ${record.namespace}`], "retried"); // another began meanwhile
  if (run.partial)
    await store.runs.addToScope(retry.id, [...new Set(refusedTexts.map(({ documentId }) => documentId))]);
  const writer = await store.namespaces.openWriter(record, record.seal);
  await writer.forget([...refusedTexts, ...changed].map(({ documentId }) => documentId));
  await store.runs.recordFailures(
    retry.id,
    failures.filter(({ ordinal }) => ordinal === null),
  );
  await store.runs.cutShards(retry.id, shardDocuments, { wake });
  await note(control, "run.retried", run, { by: retry.id, texts });
  return { run: await current(control, retry), record, texts };
}

const ENDED: readonly RunState[] = ["ready", "failed"];

/** False: it stands where it should already. */
async function move(
  { store }: RunControl,
  run: Run,
  step: { from: readonly RunState[]; to: RunState; reason: string; still: readonly RunState[] },
): Promise<boolean> {
  if (await store.runs.transition(run.id, step)) return true;
  const state = await store.runs.state(run.id);
  if (state !== null && step.still.includes(state)) return false;
  throw refused({ ...run, state: state ?? run.state }, step.from, VERB[step.to] ?? step.to);
}

const VERB: Partial<Record<RunState, string>> = { plan: "resumed", fill: "resumed" };

const refused = (run: Run, expected: readonly string[], verb: string): EmbError =>
  new EmbError(
    "EMB_RUN_STATE_REFUSED",
    `run ${run.id} cannot be ${verb}: expected ${expected.join(" or ")}, seen ${run.state}`,
    { hint: "emb runs shows where every run stands.", context: { run_id: run.id, state: run.state } },
  );

const recordOf = async ({ store }: RunControl, run: Run): Promise<NamespaceRecord | null> =>
  (await store.namespaces.list(run.base)).find(({ id }) => id === run.namespaceId) ?? null;

/** Of a namespace, whatever its state. */
export const newestRun = async (
  { store }: { store: Pick<Store, "runs"> },
  { base, id }: Pick<NamespaceRecord, "base" | "id">,
): Promise<Run | undefined> => (await store.runs.list({ base })).find(({ namespaceId }) => namespaceId === id);

/** Nobody else fills what the run did not finish. */
async function leftFilling(control: RunControl, run: Run): Promise<boolean> {
  const record = await recordOf(control, run);
  return record?.state === "filling" && (await newestRun(control, record))?.id === run.id;
}

const current = async ({ store }: RunControl, run: Run): Promise<Run> => (await store.runs.get(run.id)) ?? run;

const note = (
  { store, actor }: RunControl,
  action: string,
  run: Run,
  more: Record<string, string | number | boolean>,
) =>
  store.audit.append({
    action,
    actor,
    detail: { run_id: run.id, namespace: run.namespace, profile: run.profile, ...more },
  });
