import { randomUUID } from "node:crypto";
import type { Settings } from "@emb/config";
import { EmbError } from "@emb/manifest";
import { reingest, type FilledBy, type ReingestReport } from "@emb/ingest";
import type { Store } from "@emb/store";
import { passGate, withStore } from "@emb/query";
import { consent, requireConsent } from "../consent.js";
import { decideFilledBy } from "../filled-by.js";
import { openNamedSource, type NamedSource, type SourceOptions } from "../named-source.js";
import { paint } from "../output.js";
import { readSettings } from "../read-settings.js";
import type { Command, Session } from "../session.js";
import { amountOfUsd, costText } from "../usd.js";
import { wholeNumber } from "../whole-number.js";
import { withFill } from "../with-fill.js";
import { planFill, planLines, printPlan } from "./plan.js";

export interface ReingestOptions extends SourceOptions {
  readonly to: string;
  readonly base?: string;
  readonly yes: boolean;
  /** Plan only. */
  readonly dryRun: boolean;
  readonly maxCostUsd?: string;
  readonly acceptFailures?: string;
  readonly workers?: string;
}

const FAILURES_SHOWN = 20;
const WHAT_IT_DOES = "reingest writes to the database";

/** Fills the namespace of a profile beside the others, verifies it, and says whether it is ready. Exit 1 when it is not. */
export const reingestCommand: Command<ReingestOptions> = async (session, options) => {
  const settings = readSettings(session, options.to);
  // before a source, a database or a provider is opened
  passGate(settings, session.env, options.to);
  if (!options.dryRun) requireConsent(session, { yes: options.yes, what: WHAT_IT_DOES });
  const source = await openNamedSource(session, settings, options);
  const base = options.base ?? settings.store.baseNamespace;
  const maxCostUsd = options.maxCostUsd === undefined ? null : amountOfUsd("--max-cost-usd", options.maxCostUsd);
  const acceptFailures =
    options.acceptFailures === undefined ? 0 : wholeNumber("--accept-failures", options.acceptFailures);
  return withStore(settings, async (store) => {
    const { to, yes, dryRun } = options;
    const filledBy = decideFilledBy(options.workers, { shared: store.capabilities.shared });
    if (dryRun) {
      printPlan(session, await planFill(session, { settings, store, base, to, source }));
      return 0;
    }
    const report = await fillNamespace(session, {
      settings,
      store,
      base,
      to,
      source,
      yes,
      maxCostUsd,
      acceptFailures,
      filledBy,
    });
    printReport(session, report, await store.runs.failures(report.runId, FAILURES_SHOWN));
    return report.state === "ready" ? 0 : 1;
  });
};

/** The whole re-ingest with its banner, consent, audit row of a permitted override, and progress on stderr. */
export async function fillNamespace(
  session: Session,
  fill: {
    settings: Settings;
    store: Store;
    base: string;
    to: string;
    source: NamedSource;
    yes: boolean;
    maxCostUsd?: number | null;
    /** Set-aside texts with which the namespace may still become ready. */
    acceptFailures?: number;
    filledBy?: FilledBy;
  },
): Promise<ReingestReport> {
  const { settings, store, base, to } = fill;
  const { name: sourceName, opened: source } = fill.source;
  return withFill(
    session,
    {
      settings,
      store,
      base,
      to,
      acceptFailures: fill.acceptFailures ?? 0,
      interrupted: () => interrupted(to, sourceName, base),
      async consent({ namespace, profile }) {
        if (session.output.interactive && !fill.yes)
          for (const line of planLines(await planFill(session, fill))) session.output.note(line);
        await consent(session, {
          yes: fill.yes,
          what: WHAT_IT_DOES,
          question: `Fill ${namespace} with profile ${profile.name} from ${source.identity}?`,
        });
      },
    },
    ({ setup }) =>
      reingest({
        ...setup,
        base,
        mode: settings.namespaceMode,
        source,
        shardDocuments: settings.ingest.shardDocuments,
        maxCostUsd: fill.maxCostUsd ?? null,
        ...(fill.filledBy && { filledBy: fill.filledBy }),
        newRunId: randomUUID,
      }),
  );
}

const interrupted = (to: string, source: string, base: string): EmbError =>
  new EmbError("EMB_INTERRUPTED", "interrupted; everything committed so far is kept", {
    hint: `Go on with the same command: emb reingest --to ${to} --source ${source} --base ${base} --yes`,
  });

function printReport(
  { output }: Session,
  report: ReingestReport,
  setAside: readonly { documentId: string; ordinal: number | null; code: string; reason: string }[],
): void {
  const { chunks, verification, intake, spend } = report;
  output.document({
    run_id: report.runId,
    namespace: report.namespace,
    state: report.state,
    reason: report.reason,
    resumed: report.resumed,
    documents: report.documents,
    intake: intake && {
      seen: intake.seen,
      created: intake.created,
      changed: intake.changed,
      unchanged: intake.unchanged,
      superseded: intake.superseded,
      empty: intake.empty,
      set_aside: intake.setAside,
      removed: intake.removed,
    },
    chunks,
    tokens: spend.tokens,
    cost_usd: spend.costUsd,
    seconds: report.seconds,
    drift_pct: verification?.driftPct ?? null,
    checks: verification?.checks ?? [],
    set_aside: setAside.map(({ documentId, ordinal, code, reason }) => ({
      document_id: documentId,
      ordinal,
      code,
      reason,
    })),
  });
  output.line(
    `${paint(output, report.state === "ready" ? "green" : "red", report.state)}  ${report.namespace}: ${report.documents} documents, ${chunks.total} chunks ` +
      `(${chunks.embedded} embedded, ${chunks.skipped} skipped, ${chunks.failed} failed), ${spend.tokens} tokens, ${costText(spend.costUsd)}, ${report.seconds.toFixed(1)}s`,
  );
  if (verification === null && report.reason !== "") output.line(`  ${report.reason}`);
  for (const check of (verification?.checks ?? []).filter(({ ok }) => !ok))
    output.line(`  ${check.name}: seen ${check.seen}, want ${check.want}`);
  for (const { documentId, ordinal, code, reason } of setAside)
    output.line(`  set aside ${documentId}${ordinal === null ? "" : `#${ordinal}`}: ${code} ${reason}`);
  if (report.state !== "ready")
    output.line("  Repair what is named above and run the same command again: it embeds only what is missing.");
}
