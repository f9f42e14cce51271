import { comparisonDocument } from "../evaluation/comparison-document.js";
import { comparisonLines } from "../evaluation/comparison-lines.js";
import { comparisonSettings, type ComparisonFlags } from "../evaluation/comparison-settings.js";
import { prepareReport, writeReport, type ReportFlags } from "../comparison-report/write-report.js";
import { decideByQueries } from "../evaluation/decide-by-queries.js";
import type { AskFlags } from "../evaluation/with-query-sides.js";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";
import { amountOfUsd } from "../usd.js";

export interface CompareOptions extends AskFlags, ComparisonFlags, ReportFlags {
  readonly baseline: string;
  readonly candidate: string;
  readonly maxCostUsd?: string;
}

const EXIT = { GO: 0, "NO-GO": 1, INCONCLUSIVE: 3 } as const;

/** Whether the candidate may take the baseline's place, by the user's own queries. The verdict is the exit code, and is kept. */
export const compareCommand: Command<CompareOptions> = async (session, options) => {
  const settings = readSettings(session);
  const { output } = session;
  const { baseline, candidate } = options;
  const deciding = comparisonSettings(options, settings.rollout);
  const maxCostUsd = options.maxCostUsd === undefined ? null : amountOfUsd("--max-cost-usd", options.maxCostUsd);
  const files = await prepareReport(session.cwd, options);
  const question = { settings, baseline, candidate, flags: options, deciding, maxCostUsd };
  const { comparison, verdictId, at, record, excerpts } = await decideByQueries(session, question);
  const { base, inputs, environment } = record;
  const written = await writeReport(files, {
    comparison,
    excerpts,
    origin: {
      verdictId: String(verdictId),
      at: at.toISOString(),
      environment,
      base,
      asServed: options.asServed,
      baselineFingerprint: record.baseline.fingerprint,
      candidateFingerprint: record.candidate.fingerprint,
      inputs,
    },
  });
  const kept = { verdict_id: Number(verdictId), at: at.toISOString(), base, inputs };
  output.document({ ...comparisonDocument(comparison), ...kept, ...written });
  for (const line of comparisonLines(comparison, output)) output.line(line);
  output.line();
  if (written.report !== null) output.line(`report   ${written.report}`);
  if (written.summary !== null) output.line(`summary  ${written.summary}`);
  output.line(`kept as verdict ${verdictId}: emb status`);
  return EXIT[comparison.verdict.kind];
};
