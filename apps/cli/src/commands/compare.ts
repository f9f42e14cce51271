import { compare, type Comparison } from "@emb/eval";
import { actor } from "@emb/query";
import type { VerdictRecord } from "@emb/store";
import { comparisonDocument } from "../evaluation/comparison-document.js";
import { comparisonLines } from "../evaluation/comparison-lines.js";
import { comparisonSettings, type ComparisonFlags } from "../evaluation/comparison-settings.js";
import { withQuerySides, type Asked, type AskFlags } from "../evaluation/with-query-sides.js";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";
import { amountOfUsd } from "../usd.js";

export interface CompareOptions extends AskFlags, ComparisonFlags {
  readonly baseline: string;
  readonly candidate: string;
  readonly maxCostUsd?: string;
}

const EXIT = { GO: 0, "NO-GO": 1, INCONCLUSIVE: 3 } as const;

/** Whether the candidate may take the baseline's place, by the user's own queries. The verdict is the exit code, and is kept. */
export const compareCommand: Command<CompareOptions> = async (session, options) => {
  const settings = readSettings(session);
  const { output } = session;
  const deciding = comparisonSettings(options);
  const maxCostUsd = options.maxCostUsd === undefined ? null : amountOfUsd("--max-cost-usd", options.maxCostUsd);
  const names = [options.baseline, options.candidate];
  const asking = { settings, names, flags: options, depth: deciding.k, maxCostUsd };
  return withQuerySides(session, asking, async (asked) => {
    const [baseline, candidate] = asked.sides;
    const comparison = compare(asked.set, baseline!, candidate!, deciding);
    const record = recordOf(comparison, asked, settings.environment);
    const { id, at } = await asked.store.verdicts.keep(record);
    const kept = { verdict_id: Number(id), at: at.toISOString(), base: asked.base, inputs: record.inputs };
    output.document({ ...comparisonDocument(comparison), ...kept });
    for (const line of comparisonLines(comparison, output)) output.line(line);
    output.line();
    output.line(`kept as verdict ${id}: emb status`);
    return EXIT[comparison.verdict.kind];
  });
};

function recordOf(comparison: Comparison, { base, opened, folder }: Asked, environment: string): VerdictRecord {
  const { verdict, settings, metrics } = comparison;
  const decisive = metrics?.[settings.metric] ?? null;
  const runs = opened.flatMap((side) => (side.kind === "run" ? [[side.is.profile, side.hash]] : []));
  const [baseline, candidate] = opened.map(({ is }) => is);
  return {
    verdict: verdict.kind,
    environment,
    actor: actor(),
    base,
    baseline: baseline!,
    candidate: candidate!,
    metric: `${settings.metric}@${settings.k}`,
    margin: settings.margin,
    alpha: settings.alpha,
    seed: settings.seed,
    queries: decisive?.queries ?? 0,
    difference: decisive?.difference ?? null,
    lower: decisive?.lower ?? null,
    upper: decisive?.upper ?? null,
    queriesNeeded: verdict.kind === "INCONCLUSIVE" ? verdict.queriesNeeded : null,
    reasons: verdict.reasons.map(({ text }) => text),
    inputs: { ...folder.hashes, ...Object.fromEntries(runs) },
  };
}
