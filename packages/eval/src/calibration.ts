import type { Judgements } from "./judgements.js";
import { isRelevant } from "./judgements.js";
import type { ScoredDocument } from "./ranking.js";
import { createRandom, nextWord, WORD } from "./random.js";

/** What a service that cuts its results by score wants to keep. */
export type Keep = "precision" | "recall";

/** One query's results on both sides, before any cut. */
export interface CutQuery {
  readonly judgements: Judgements;
  readonly baseline: readonly ScoredDocument[];
  readonly candidate: readonly ScoredDocument[];
  readonly cluster: number;
}

export interface Calibration {
  readonly keep: Keep;
  /** The baseline's threshold: results with this score or more are shown. */
  readonly baselineThreshold: number;
  /** What the baseline has at its threshold, over all results shown. Null: it shows none. */
  readonly kept: number | null;
  /** The candidate's; null when no threshold keeps it. */
  readonly threshold: number | null;
  /** What the candidate has at its threshold. */
  readonly reached: number | null;
  /** Of the threshold, alpha on each side; null with it, or when resamples without one are too many to tell. */
  readonly lower: number | null;
  readonly upper: number | null;
}

interface Shown {
  readonly score: number;
  readonly relevant: boolean;
  /** Place of its query's cluster. */
  readonly cluster: number;
}

/**
 * The candidate's score threshold that keeps what the baseline has at its own: the lowest one with at least the baseline's precision, or the
 * highest one with at least its recall. Counted over the results of all judged queries together, since one threshold cuts them all. Interval by
 * percentiles of resamples of whole clusters, in which the baseline's own value is counted anew.
 */
export function calibrateThreshold(
  queries: readonly CutQuery[],
  options: { keep: Keep; baselineThreshold: number; alpha: number; rounds: number; seed: number },
): Calibration {
  const { keep, baselineThreshold, alpha, rounds, seed } = options;
  const clusters = new Map<number, number>();
  for (const { cluster } of queries) if (!clusters.has(cluster)) clusters.set(cluster, clusters.size);
  const shown = (side: "baseline" | "candidate"): Shown[] =>
    queries
      .flatMap((query) =>
        query[side].map(({ id, score }) => ({
          score,
          relevant: isRelevant(query.judgements.get(id)),
          cluster: clusters.get(query.cluster)!,
        })),
      )
      .toSorted((a, b) => b.score - a.score);
  const baseline = shown("baseline").filter(({ score }) => score >= baselineThreshold);
  const candidate = shown("candidate");

  const find = (weights: Float64Array) => {
    const target = valueOf(baseline, weights, keep);
    return { target, found: target === null ? null : findThreshold(candidate, weights, keep, target) };
  };
  const { target, found } = find(new Float64Array(clusters.size).fill(1));
  const thresholds: number[] = [];
  const random = createRandom(seed);
  if (found !== null)
    for (let round = 0; round < rounds; round++) {
      const weights = new Float64Array(clusters.size);
      for (let draw = 0; draw < clusters.size; draw++) weights[Math.floor(nextWord(random) * clusters.size * WORD)]!++;
      const resampled = find(weights).found;
      if (resampled !== null) thresholds.push(resampled.score);
    }
  thresholds.sort((a, b) => a - b);
  // a resample without a threshold could stand at either end
  const told = thresholds.length > 0 && (rounds - thresholds.length) / rounds < alpha;
  const at = (share: number) => thresholds[Math.min(thresholds.length - 1, Math.floor(share * thresholds.length))]!;
  return {
    keep,
    baselineThreshold,
    kept: target === null ? null : keep === "precision" ? target : recallOf(target, queries),
    threshold: found?.score ?? null,
    reached: found === null ? null : keep === "precision" ? found.value : recallOf(found.value, queries),
    lower: told ? at(alpha) : null,
    upper: told ? at(1 - alpha) : null,
  };
}

/** Precision of what is shown, or how many relevant ones are (the recall before it is divided by what both sides share). */
function valueOf(shown: readonly Shown[], weights: Float64Array, keep: Keep): number | null {
  let all = 0;
  let relevant = 0;
  for (const result of shown) {
    const weight = weights[result.cluster]!;
    all += weight;
    if (result.relevant) relevant += weight;
  }
  if (keep === "recall") return relevant;
  return all === 0 ? null : relevant / all;
}

/** Equal scores are shown or cut together. */
function findThreshold(
  ranked: readonly Shown[],
  weights: Float64Array,
  keep: Keep,
  target: number,
): { score: number; value: number } | null {
  let all = 0;
  let relevant = 0;
  let best: { score: number; value: number } | null = null;
  for (const [place, result] of ranked.entries()) {
    const weight = weights[result.cluster]!;
    all += weight;
    if (result.relevant) relevant += weight;
    if (ranked[place + 1]?.score === result.score || all === 0) continue;
    const value = keep === "recall" ? relevant : relevant / all;
    if (value < target - 1e-12) continue;
    best = { score: result.score, value };
    if (keep === "recall") break;
  }
  return best;
}

function recallOf(relevantShown: number, queries: readonly CutQuery[]): number {
  const relevant = queries.reduce(
    (sum, { judgements }) => sum + [...judgements.values()].filter((grade) => isRelevant(grade)).length,
    0,
  );
  return relevant === 0 ? 0 : relevantShown / relevant;
}
