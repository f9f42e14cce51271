import { randomUUID } from "node:crypto";
import { adopt, type AdoptReport } from "@emb/ingest";
import { passGate, withStore } from "@emb/query";
import { consent, requireConsent } from "../consent.js";
import { paint } from "../output.js";
import { readSettings } from "../read-settings.js";
import type { Command, Session } from "../session.js";
import { wholeNumber } from "../whole-number.js";
import { withFill } from "../with-fill.js";
import { EmbError } from "@emb/manifest";

export interface AdoptOptions {
  readonly profile: string;
  /** The table. */
  readonly namespace: string;
  readonly base?: string;
  readonly idColumn: string;
  readonly textColumn: string;
  readonly vectorColumn: string;
  readonly sample: string;
  readonly acceptFailures?: string;
  readonly yes: boolean;
}

const WHAT_IT_DOES = "adopt writes to the database";

/** Seals a pgvector table that another program filled, after embedding a sample of its texts again. Exit 1 when it is not ready. */
export const adoptCommand: Command<AdoptOptions> = async (session, options) => {
  const settings = readSettings(session, options.profile);
  const base = options.base ?? settings.store.baseNamespace;
  const sampleTexts = wholeNumber("--sample", options.sample);
  if (sampleTexts === 0)
    throw new EmbError("EMB_USAGE", "--sample: expected at least 1, got 0", {
      hint: "Without a sample nothing is proved.",
    });
  const acceptFailures =
    options.acceptFailures === undefined ? 0 : wholeNumber("--accept-failures", options.acceptFailures);
  const { idColumn, textColumn, vectorColumn } = options;
  passGate(settings, session.env, options.profile);
  requireConsent(session, { yes: options.yes, what: WHAT_IT_DOES });
  return withStore(settings, async (store) => {
    const report = await withFill(
      session,
      {
        settings,
        store,
        base,
        to: options.profile,
        acceptFailures,
        consent: ({ namespace }) =>
          consent(session, {
            yes: options.yes,
            what: WHAT_IT_DOES,
            question: `Copy table ${options.namespace} into ${namespace} and seal it with profile ${options.profile}?`,
          }),
        interrupted: () =>
          new EmbError("EMB_INTERRUPTED", "interrupted", {
            hint: "Run the same command again: it says how to go on.",
          }),
      },
      ({ setup }) =>
        adopt({
          ...setup,
          base,
          mode: settings.namespaceMode,
          table: { table: options.namespace, idColumn, textColumn, vectorColumn },
          sampleTexts,
          newRunId: randomUUID,
        }),
    );
    show(session, options.namespace, report);
    return report.run.state === "ready" ? 0 : 1;
  });
};

function show({ output }: Session, table: string, report: AdoptReport): void {
  const { run, record, rows, documents, setAside, textsEmbedded, minCosine } = report;
  const sealed = run.state === "ready";
  output.document({
    sealed,
    run_id: run.id,
    from: table,
    namespace: record.namespace,
    profile: record.seal.profile,
    state: run.state,
    reason: run.reason,
    rows,
    documents,
    set_aside: setAside,
    texts_embedded: textsEmbedded,
    min_cosine: minCosine,
  });
  output.line(
    `${paint(output, sealed ? "green" : "red", run.state)}  ${record.namespace}: ${documents} of ${rows} rows of ${table}, ` +
      `${textsEmbedded} texts embedded to prove it, lowest cosine ${minCosine.toFixed(5)}`,
  );
  if (run.reason !== "") output.line(`  ${run.reason}`);
}
