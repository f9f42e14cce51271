import { randomUUID } from "node:crypto";
import type { Settings } from "@emb/config";
import { abortRun, handOver, pauseRun, requirePrice, resumeRun, retryRun, type FilledBy } from "@emb/ingest";
import { EmbError, nearest } from "@emb/manifest";
import { actor, passGate, withStore } from "@emb/query";
import type { NamespaceRecord, Run, Store } from "@emb/store";
import { consent, requireConsent } from "../consent.js";
import { decideFilledBy } from "../filled-by.js";
import { describeRun } from "../describe-run.js";
import { describeLiveSpend, liveSpendLine, readLiveSpends } from "../live-spend.js";
import { openNamedSource } from "../named-source.js";
import { table } from "../output.js";
import { readSettings } from "../read-settings.js";
import type { Command, Session } from "../session.js";
import { amountOfUsd, costText } from "../usd.js";
import { wholeNumber } from "../whole-number.js";
import { withFill } from "../with-fill.js";
import { fillNamespace } from "./reingest.js";

export interface RunsOptions {
  readonly verb?: string;
  readonly id?: string;
  readonly base?: string;
  readonly maxCostUsd?: string;
  readonly acceptFailures?: string;
  readonly workers?: string;
  readonly yes: boolean;
}

const VERBS = ["pause", "resume", "abort", "retry"] as const;
type Verb = (typeof VERBS)[number];

/** Lists runs with their ledger, or moves one. Exit 1 when a run that was resumed or retried did not become ready. */
export const runs: Command<RunsOptions> = async (session, options) => {
  const settings = readSettings(session);
  const asked = options.verb === undefined ? null : { verb: parseVerb(options.verb), id: given(options.id) };
  const limits = {
    maxCostUsd: options.maxCostUsd === undefined ? null : amountOfUsd("--max-cost-usd", options.maxCostUsd),
    acceptFailures: options.acceptFailures === undefined ? 0 : wholeNumber("--accept-failures", options.acceptFailures),
  };
  const dropping = (id: string) => ({ yes: options.yes, what: `abort drops what run ${id} filled` });
  if (asked?.verb === "abort") requireConsent(session, dropping(asked.id)); // before a database is opened
  return withStore(settings, async (store) => {
    if (asked === null) {
      const spends = await readLiveSpends(store);
      const live = (await store.namespaces.list(options.base))
        .filter(({ id }) => spends.has(id))
        .map(({ id, namespace, seal }) => ({
          namespace,
          profile: seal.profile,
          ...describeLiveSpend(spends.get(id)),
        }));
      show(session, await store.runs.list(options.base === undefined ? {} : { base: options.base }), { live });
      for (const spend of live) session.output.line(liveSpendLine(spend.namespace, spend));
      return 0;
    }
    const { verb } = asked;
    const run = await findRun(store, asked.id);
    const { shared } = store.capabilities;
    const filledBy = decideFilledBy(options.workers, { shared });
    const place = { settings, store, run, filledBy };
    if (verb === "resume") return resume(session, place, limits);
    if (verb === "retry") return retry(session, place, limits);
    if (verb === "pause") {
      show(session, [await pauseRun({ store, actor: actor() }, run, "paused by an operator")]);
      return 0;
    }
    await consent(session, {
      ...dropping(run.id),
      question: `Abort run ${run.id} and drop what it filled in ${run.namespace}?`,
    });
    const aborted = await abortRun({ store, actor: actor() }, run);
    const what = aborted.dropped ? "was dropped" : "was ready before and is kept: emb retire drops it";
    show(session, [aborted.run], { dropped: aborted.dropped }, `namespace ${run.namespace} ${what}`);
    return 0;
  });
};

interface Place {
  readonly settings: Settings;
  readonly store: Store;
  readonly run: Run;
  readonly filledBy: FilledBy;
}

interface Limits {
  readonly maxCostUsd: number | null;
  readonly acceptFailures: number;
}

/** Before the run is moved: what the gate or a limit without a price refuses leaves it as it was. */
function requirePermitted(session: Session, { profile: name }: Run, { maxCostUsd }: Limits): void {
  const { profile } = passGate(readSettings(session, name), session.env, name);
  if (maxCostUsd !== null) requirePrice(profile);
}

async function resume(session: Session, { settings, store, run, filledBy }: Place, limits: Limits): Promise<number> {
  requirePermitted(session, run, limits);
  if (!run.intakeDone) {
    const source = await openNamedSource(session, settings, { source: pathOf(run) });
    const { base, profile: to } = run;
    const report = await fillNamespace(session, { settings, store, base, to, source, yes: true, filledBy, ...limits });
    return showEnded(session, (await store.runs.get(report.runId)) ?? run);
  }
  const record = (await store.namespaces.list(run.base)).find(({ id }) => id === run.namespaceId);
  if (record === undefined) throw unknown(run.id);
  const resumed = await resumeRun({ store, actor: actor() }, run);
  return goOn(session, { settings, store, run: resumed, filledBy }, { ...limits, record });
}

async function retry(session: Session, { settings, store, run, filledBy }: Place, limits: Limits): Promise<number> {
  requirePermitted(session, run, limits);
  const { shardDocuments } = settings.ingest;
  const retried = await retryRun({ store, actor: actor() }, run, {
    newRunId: randomUUID,
    shardDocuments,
    wake: filledBy !== "local",
  });
  if (retried === null) {
    show(
      session,
      [run],
      {},
      `run ${run.id} set aside no stored text; documents that cannot be read are repaired at the source`,
    );
    return run.state === "ready" ? 0 : 1;
  }
  return goOn(session, { settings, store, run: retried.run, filledBy }, { ...limits, record: retried.record });
}

async function goOn(
  session: Session,
  { settings, store, run, filledBy }: Place,
  { record, maxCostUsd, acceptFailures }: Limits & { record: NamespaceRecord },
): Promise<number> {
  if (maxCostUsd !== null) await store.runs.limitSpend(run.id, maxCostUsd);
  const ended = await withFill(
    session,
    {
      settings,
      store,
      base: run.base,
      to: run.profile,
      acceptFailures,
      consent: () => Promise.resolve(), // given when the run was started
      interrupted: () =>
        new EmbError("EMB_INTERRUPTED", "interrupted; everything committed so far is kept", {
          hint: `Go on with: emb runs resume ${run.id}`,
        }),
    },
    ({ setup }) => handOver({ ...setup, filledBy }, run, record),
  );
  return showEnded(session, ended.run);
}

function showEnded(session: Session, run: Run): number {
  show(session, [run]);
  return run.state === "ready" ? 0 : 1;
}

function show({ output }: Session, listed: readonly Run[], more: object = {}, line?: string): void {
  output.document({ runs: listed.map(describeRun), ...more });
  const cells = listed.map((run) => {
    const { progress, spend } = describeRun(run);
    const limit = spend.max_cost_usd === null ? "" : ` of ${costText(spend.max_cost_usd)}`;
    return [
      run.id,
      run.profile,
      run.namespace,
      run.state,
      `${progress.documents}/${progress.documents_total}`,
      String(progress.failed),
      String(spend.tokens),
      `${costText(spend.cost_usd)}${limit}`,
      run.reason,
    ];
  });
  const head = ["run", "profile", "namespace", "state", "documents", "set aside", "tokens", "cost", "reason"];
  for (const text of table(head, cells)) output.line(text);
  if (line !== undefined) output.line(line);
}

function parseVerb(text: string): Verb {
  const verb = VERBS.find((known) => known === text);
  if (verb !== undefined) return verb;
  const near = nearest(text, VERBS);
  throw new EmbError("EMB_USAGE", `emb runs: expected ${VERBS.join(", ")} or nothing, got "${text}"`, {
    hint: near === null ? "emb runs --help shows what they do." : `Did you mean ${near}?`,
  });
}

function given(id: string | undefined): string {
  if (id !== undefined) return id;
  throw new EmbError("EMB_USAGE", "expected the id of a run", { hint: "emb runs lists them." });
}

async function findRun(store: Store, id: string): Promise<Run> {
  const run = await store.runs.get(id);
  if (run === null) throw unknown(id);
  return run;
}

const unknown = (id: string): EmbError =>
  new EmbError("EMB_USAGE", `there is no run "${id.slice(0, 80)}"`, { hint: "emb runs lists them." });

/** Where the source of a run was found, for one that was not read to its end. */
function pathOf({ id, source, partial }: Run): string {
  const path = /^(?:folder|jsonl):(.+)$/s.exec(source)?.[1];
  if (path !== undefined && !partial) return path;
  throw new EmbError(
    "EMB_USAGE",
    `run ${id}: its source ${source} was not read to its end and cannot be opened again here`,
    {
      hint: "Give the source again, with what narrowed it: emb reingest --to PROFILE --source PATH.",
    },
  );
}
