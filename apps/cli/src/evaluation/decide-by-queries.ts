import type { Settings } from "@emb/config";
import { compare, type Comparison, type ComparisonSettings } from "@emb/eval";
import { actor } from "@emb/query";
import type { KeptVerdict, VerdictRecord } from "@emb/store";
import type { Session } from "../session.js";
import { withQuerySides, type Asked, type AskFlags } from "./with-query-sides.js";

/** A comparison, and how its verdict was kept. */
export interface Decided {
  readonly comparison: Comparison;
  readonly verdictId: KeptVerdict["id"];
  readonly at: Date;
  readonly record: VerdictRecord;
  readonly excerpts: Asked["excerpts"];
}

/** Asks both sides the same queries, decides, and keeps the verdict. */
export async function decideByQueries(
  session: Session,
  question: {
    settings: Settings;
    baseline: string;
    candidate: string;
    flags: AskFlags;
    deciding: ComparisonSettings;
    maxCostUsd: number | null;
  },
): Promise<Decided> {
  const { settings, baseline, candidate, flags, deciding, maxCostUsd } = question;
  const asking = {
    settings,
    names: [baseline, candidate],
    flags,
    depth: deciding.k,
    seed: deciding.seed,
    sliceBy: deciding.sliceBy,
    maxCostUsd,
  };
  return withQuerySides(session, asking, async (asked) => {
    const [first, second] = asked.sides;
    const comparison = compare(asked.set, first!, second!, deciding);
    const record = recordOf(comparison, asked, settings.environment);
    const { id, at } = await asked.store.verdicts.keep(record);
    return { comparison, verdictId: id, at, record, excerpts: asked.excerpts };
  });
}

function recordOf(comparison: Comparison, { base, opened, folder }: Asked, environment: string): VerdictRecord {
  const { verdict, warnings, settings, metrics } = comparison;
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
    reasons: [...verdict.reasons, ...warnings].map(({ text }) => text),
    inputs: { ...folder.hashes, ...Object.fromEntries(runs) },
  };
}
