import type { Comparison, Evaluation, Oddities, PairedResult, ServiceFacts } from "@emb/eval";
import { IDS_SHOWN } from "./oddity-words.js";

/** A comparison as --json spells it: snake_case, without the queries' texts. */
export function comparisonDocument(comparison: Comparison) {
  const { verdict, warnings, settings, metrics, slices, similarity, calibration } = comparison;
  const decisive = metrics?.[settings.metric] ?? null;
  return {
    verdict: verdict.kind,
    reasons: verdict.reasons.map(({ code, slice, seen, limit, text }) => ({ code, slice, seen, limit, text })),
    warnings: warnings.map(({ code, seen, limit, text }) => ({ code, seen, limit, text })),
    queries_needed: verdict.kind === "INCONCLUSIVE" ? verdict.queriesNeeded : null,
    metric: settings.metric,
    k: settings.k,
    margin: settings.margin,
    min_effect: settings.minEffect,
    alpha: settings.alpha,
    difference: decisive?.difference ?? null,
    lower: decisive?.lower ?? null,
    upper: decisive?.upper ?? null,
    queries: comparison.queries,
    judged_queries: comparison.judgedQueries,
    unanswered: comparison.unanswered,
    metrics: metrics === null ? {} : mapValues(metrics, pairedDocument),
    slice_by: settings.sliceBy,
    slices: slices.map(({ name, kind, result, pWorseHolm, queriesNeeded }) => ({
      slice: name,
      verdict: kind,
      ...pairedDocument(result),
      p_worse_holm: pWorseHolm,
      queries_needed: queriesNeeded,
    })),
    similarity: {
      queries: similarity.queries,
      overlap: similarity.overlap,
      rbo: similarity.rbo,
      kendall_tau: similarity.kendallTau,
      score_shift: similarity.scores,
    },
    baseline: {
      profile: comparison.baseline.name,
      namespace: comparison.baseline.namespace,
      ...factsDocument(comparison.baseline.facts),
    },
    candidate: {
      profile: comparison.candidate.name,
      namespace: comparison.candidate.namespace,
      ...factsDocument(comparison.candidate.facts),
    },
    calibration: calibration && {
      keep: calibration.keep,
      baseline_threshold: calibration.baselineThreshold,
      kept: calibration.kept,
      threshold: calibration.threshold,
      reached: calibration.reached,
      best: calibration.best,
      baseline_shown: calibration.baselineShown,
      candidate_shown: calibration.candidateShown,
      lower: calibration.lower,
      upper: calibration.upper,
    },
    oddities: {
      ...odditiesDocument(comparison.oddities),
      not_in_baseline_run: notInRunDocument(comparison.baseline.notInRun),
      not_in_candidate_run: notInRunDocument(comparison.candidate.notInRun),
    },
    rounds: settings.rounds,
    seed: settings.seed,
  };
}

export const evaluationDocument = (evaluation: Evaluation, oddities: Oddities, k: number) => ({
  profile: evaluation.name,
  namespace: evaluation.namespace,
  k,
  queries: evaluation.queries,
  judged_queries: evaluation.judgedQueries,
  metrics: evaluation.metrics ?? {},
  ...factsDocument(evaluation.facts),
  oddities: { ...odditiesDocument(oddities), not_in_run: notInRunDocument(evaluation.notInRun) },
});

const pairedDocument = (result: PairedResult) => ({
  queries: result.queries,
  groups: result.clusters,
  baseline: result.baseline,
  candidate: result.candidate,
  difference: result.difference,
  lower: result.lower,
  upper: result.upper,
  p_value: result.pValue,
  p_worse: result.pWorse,
  effect_size: result.effectSize,
  minimum_detectable_effect: result.minimumDetectableEffect,
  wins: result.wins,
  losses: result.losses,
  ties: result.ties,
});

const factsDocument = (facts: ServiceFacts) => ({
  answered: facts.answered,
  errors: facts.errors,
  error_pct: facts.errorPct,
  errors_by_code: facts.errorsByCode,
  latency_ms: facts.latencyMs,
  tokens: facts.tokens,
  cost_per_1000_queries_usd: facts.costPer1000QueriesUsd,
});

const odditiesDocument = (oddities: Oddities) => ({
  duplicate_queries: oddities.duplicateQueries,
  duplicate_judgements: oddities.duplicateJudgements,
  queries_without_judgements: oddities.queriesWithoutJudgements,
  queries_without_relevant: oddities.queriesWithoutRelevant,
  judged_queries_missing: oddities.judgedQueriesMissing,
  judged_documents_missing: oddities.judgedDocumentsMissing,
});

/** Of the ids the first few. */
const notInRunDocument = (ids: readonly string[]) => ({ queries: ids.length, ids: ids.slice(0, IDS_SHOWN) });

const mapValues = <T, U>(values: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
