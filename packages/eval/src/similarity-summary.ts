import { percentile, type Side } from "./answers.js";
import { foundBy } from "./evaluation.js";
import type { QuerySet } from "./query-set.js";
import { kendallTau, overlapAtK, rankBiasedOverlap } from "./similarity.js";

/** How much the two sides' answers are alike, over all queries that both answered; it needs no judgements. */
export interface Similarity {
  readonly queries: number;
  /** Means over queries; null without a query. */
  readonly overlap: number | null;
  readonly rbo: number | null;
  /** Over the queries whose answers share two documents. */
  readonly kendallTau: number | null;
  readonly scores: ScoreShift | null;
  /** Best scores of baseline and candidate for each query that both found something for, for a histogram. */
  readonly bestScores: readonly (readonly [number, number])[];
}

/** Best scores of both sides. Two models' scores are on scales of their own: a service that cuts by score must move its threshold. */
export interface ScoreShift {
  readonly baseline: Quartiles;
  readonly candidate: Quartiles;
  /** Mean over queries of the candidate's best score minus the baseline's. */
  readonly mean: number;
}

export interface Quartiles {
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
}

export function describeSimilarity(set: QuerySet, baseline: Side, candidate: Side, k: number): Similarity {
  const both = set.queries.filter(({ id }) =>
    [baseline, candidate].every(({ answers }) => answers.get(id)?.error === null),
  );
  const lists = both.map(({ id }) => [foundBy(baseline, id).slice(0, k), foundBy(candidate, id).slice(0, k)] as const);
  const bestScores = both.flatMap(({ id }) => {
    const [a, b] = [baseline, candidate].map(({ answers }) => answers.get(id)?.documents[0]?.score);
    return a === undefined || b === undefined ? [] : [[a, b] as const];
  });
  return {
    queries: both.length,
    overlap: mean(lists.map(([a, b]) => overlapAtK(a, b, k))),
    rbo: mean(lists.map(([a, b]) => rankBiasedOverlap(a, b))),
    kendallTau: mean(lists.flatMap(([a, b]) => kendallTau(a, b) ?? [])),
    scores: scoreShift(bestScores),
    bestScores,
  };
}

/** @param best the best score of baseline and candidate for each query */
export function scoreShift(best: readonly (readonly [number, number])[]): ScoreShift | null {
  const shift = mean(best.map(([a, b]) => b - a));
  return shift === null
    ? null
    : { baseline: quartiles(best.map(([a]) => a)), candidate: quartiles(best.map(([, b]) => b)), mean: shift };
}

function quartiles(values: readonly number[]): Quartiles {
  const sorted = values.toSorted((a, b) => a - b);
  return { p25: percentile(sorted, 0.25), p50: percentile(sorted, 0.5), p75: percentile(sorted, 0.75) };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
