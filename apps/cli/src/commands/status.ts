import type { ChangeCounts, KeptVerdict, NamespaceRecord, Store } from "@emb/store";
import { EmbError, nearest } from "@emb/manifest";
import { describeRun } from "../describe-run.js";
import { describeShadowReads } from "../describe-shadow-reads.js";
import { describeLiveSpend, liveSpendLine, readLiveSpends } from "../live-spend.js";
import { liveWorkers } from "../live-workers.js";
import { readSettings } from "../read-settings.js";
import { withStore } from "@emb/query";
import { table } from "../output.js";
import type { Command } from "../session.js";

const READERS_WITHIN_MS = 60_000;
const RUNS_SHOWN = 10;
const VERDICTS_SHOWN = 10;
const SET_ASIDE_SHOWN = 20;

/** What is active here, and what every namespace, run and reader of the base and every worker is doing. */
export const status: Command<{ base?: string }> = async (session, options) => {
  const { output } = session;
  const settings = readSettings(session);
  const base = options.base ?? settings.store.baseNamespace;
  return withStore(settings, async (store) => {
    const records = await store.namespaces.list(base);
    if (records.length === 0 && base !== settings.store.baseNamespace) await requireBase(store, base);
    const changes = new Map((await store.changes.counts()).map((counts) => [counts.namespaceId, counts]));
    const spends = await readLiveSpends(store);
    const namespaces = await Promise.all(
      records.map(async (record) => ({
        ...(await describeNamespace(store, record, changes.get(record.id))),
        live_spend: describeLiveSpend(spends.get(record.id)),
      })),
    );
    const runs = (await store.runs.list({ base })).slice(0, RUNS_SHOWN).map(describeRun);
    const readers = await store.readers.list({ withinMs: READERS_WITHIN_MS, base });
    const workers = await liveWorkers(store);
    const verdicts = (await store.verdicts.list({ limit: VERDICTS_SHOWN })).map(describeVerdict); // of any base: a scratch base stands for this one
    const shadowReads = await describeShadowReads(store, base);
    const head = await store.audit.head();
    output.document({
      environment: settings.environment,
      active: settings.active?.name ?? null,
      baseline: settings.baseline,
      base,
      namespace_mode: settings.namespaceMode,
      namespaces,
      runs,
      readers: readers.map(({ instance, profile, namespace, use, seenAt }) => ({
        instance,
        profile,
        namespace,
        use,
        seen_at: seenAt.toISOString(),
      })),
      workers: workers.map(({ instance, environment, host, pid, seenAt, shards }) => ({
        instance,
        environment,
        host,
        pid,
        seen_at: seenAt.toISOString(),
        shards,
      })),
      verdicts,
      shadow_reads: shadowReads,
      audit: head,
    });
    output.line(
      `environment ${settings.environment}, baseline ${settings.baseline}, active ${settings.active?.name ?? "none (refused)"}`,
    );
    output.line();
    const cells = namespaces.map((row) => [
      row.namespace,
      row.profile,
      row.state,
      ...[row.documents, row.chunks, row.lag, row.queued, row.set_aside].map((number) =>
        number === null ? "-" : String(number),
      ),
    ]);
    for (const line of table(
      ["namespace", "profile", "state", "documents", "chunks", "lag", "queued", "set aside"],
      cells,
    ))
      output.line(line);
    for (const { namespace, oldest_change_s: age } of namespaces)
      if (age !== null && age > 0) output.line(`${namespace}: its oldest change has waited ${Math.round(age)} s`);
    for (const { namespace, live_spend: spend } of namespaces)
      if (spend.texts > 0) output.line(liveSpendLine(namespace, spend));
    for (const { namespace, set_aside_changes: named } of namespaces)
      for (const { document_id, code, reason } of named)
        output.line(`${namespace}: set aside ${document_id}: ${code} ${reason}`);
    if (runs.length > 0) output.line();
    const runCells = runs.map((run) => [
      run.run_id,
      run.profile,
      run.namespace,
      run.state,
      `${run.progress.documents}/${run.progress.documents_total}`,
      run.reason,
    ]);
    if (runs.length > 0)
      for (const line of table(["run", "profile", "namespace", "state", "documents", "reason"], runCells))
        output.line(line);
    if (workers.length > 0) output.line();
    const workerCells = workers.map(({ host, pid, seenAt, shards }) => [
      host,
      String(pid),
      seenAt.toISOString(),
      String(shards),
    ]);
    if (workers.length > 0)
      for (const line of table(["worker", "pid", "seen", "shards"], workerCells)) output.line(line);
    if (verdicts.length > 0) output.line();
    const verdictCells = verdicts.map((row) => [
      row.verdict,
      row.baseline,
      row.candidate,
      row.metric,
      row.difference === null ? "-" : row.difference.toFixed(4),
      String(row.queries),
      row.at,
    ]);
    if (verdicts.length > 0)
      for (const line of table(
        ["verdict", "baseline", "candidate", "metric", "difference", "queries", "at"],
        verdictCells,
      ))
        output.line(line);
    if (shadowReads.length > 0) output.line();
    const shadowCells = shadowReads.map((row) => [
      row.baseline,
      row.candidate,
      String(row.reads),
      String(row.answered),
      row.overlap === null ? "-" : row.overlap.toFixed(2),
      row.oldest_at,
    ]);
    if (shadowReads.length > 0)
      for (const line of table(["shadow of", "candidate", "queries", "answered", "overlap", "oldest"], shadowCells))
        output.line(line);
    output.line();
    output.line(`readers: ${readers.length}; audit: ${head.rows} rows, head ${head.head.slice(0, 12)}`);
    return 0;
  });
};

/** @throws EmbError EMB_BASE_UNKNOWN for a base of which nothing is stored */
async function requireBase({ documents, namespaces }: Store, base: string): Promise<void> {
  const { live, deleted } = await documents.count(base);
  if (live + deleted > 0) return;
  const known = [...new Set((await namespaces.list()).map((record) => record.base))].toSorted();
  const near = nearest(base, known);
  throw new EmbError(
    "EMB_BASE_UNKNOWN",
    `expected a base that something is stored of (${known.join(", ") || "there is none yet"}), got "${base.slice(0, 80)}"`,
    { hint: near === null ? "Leave --base out for the one of the configuration." : `Did you mean --base ${near}?` },
  );
}

const describeVerdict = (kept: KeptVerdict) => ({
  verdict_id: Number(kept.id),
  verdict: kept.verdict,
  baseline: kept.baseline.profile,
  candidate: kept.candidate.profile,
  base: kept.base,
  environment: kept.environment,
  metric: kept.metric,
  margin: kept.margin,
  difference: kept.difference,
  lower: kept.lower,
  upper: kept.upper,
  queries: kept.queries,
  queries_needed: kept.queriesNeeded,
  reasons: kept.reasons,
  inputs: kept.inputs,
  actor: kept.actor,
  at: kept.at.toISOString(),
});

async function describeNamespace(store: Store, record: NamespaceRecord, changes: ChangeCounts | undefined) {
  const { namespace, state, seal } = record;
  const row = {
    namespace,
    profile: seal.profile,
    state,
    dims: seal.dims,
    fingerprint: seal.fingerprint,
    chunker: seal.chunkerId,
  };
  if (state === "retired") {
    const none = { documents: null, chunks: null, lag: null, queued: null, oldest_change_s: null, set_aside: null };
    return { ...row, ...none, set_aside_changes: [] };
  }
  const { queued = 0, oldestAgeMs = 0, setAside = 0 } = changes ?? {};
  const named = setAside === 0 ? [] : await store.changes.setAside(record.id, SET_ASIDE_SHOWN);
  const reader = await store.namespaces.openReader(record, seal, { strict: true }); // by its own seal: nothing is compared here
  return {
    ...row,
    ...(await reader.count()),
    lag: await reader.lag(),
    queued,
    oldest_change_s: queued === 0 ? null : oldestAgeMs / 1000,
    set_aside: setAside,
    set_aside_changes: named.map(({ documentId, ordinals, code, reason }) => ({
      document_id: documentId,
      ordinals,
      code,
      reason,
    })),
  };
}
