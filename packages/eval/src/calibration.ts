import type { Judgements } from "./judgements.js";
import { countRelevant, isRelevant } from "./judgements.js";
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
  /** What the baseline has at its threshold, over all results shown. Null: it shows none, or nothing relevant is known. */
  readonly kept: number | null;
  /** The candidate's; null when no threshold keeps it, or there is nothing to keep: `kept` is null or 0. */
  readonly threshold: number | null;
  /** What the candidate has at its threshold. */
  readonly reached: number | null;
  /** The most that the candidate has at any threshold; null where it has no results. */
  readonly best: number | null;
  /** Results shown from each threshold on, of all judged queries: what is kept may be kept by showing little. */
  readonly baselineShown: number;
  readonly candidateShown: number | null;
  /** Of the threshold, alpha on each side; null: no bound, because so many resamples have no threshold. */
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
 * highest one with at least its recall, with as few decimals as cut the same. Counted over the results of all judged queries together, since one
 * threshold cuts them all. Interval by percentiles of resamples of whole clusters, in which the baseline's own value is counted anew.
 */
export function calibrateThreshold(
  queries: readonly CutQuery[],
  options: { keep: Keep; baselineThreshold: number; alpha: number; rounds: number; seed: number },
): Calibration {
  const { keep, baselineThreshold, alpha, rounds, seed } = options;
  const clusters = new Map<number, number>();
  for (const { cluster } of queries) if (!clusters.has(cluster)) clusters.set(cluster, clusters.size);
  const ranked = (side: "baseline" | "candidate"): Shown[] =>
    queries
      .flatMap((query) =>
        query[side].map(({ id, score }) => ({
          score,
          relevant: isRelevant(query.judgements.get(id)),
          cluster: clusters.get(query.cluster)!,
        })),
      )
      .toSorted((a, b) => b.score - a.score);
  const baseline = ranked("baseline").filter(({ score }) => score >= baselineThreshold);
  const candidate = ranked("candidate");

  const find = (weights: Float64Array) => {
    const target = valueOf(baseline, weights, keep);
    return { target, ...findThreshold(candidate, weights, keep, target ?? Infinity) };
  };
  const { target, found, best } = find(new Float64Array(clusters.size).fill(1));
  const relevant = queries.reduce((sum, { judgements }) => sum + countRelevant(judgements), 0);
  const share = (value: number | null): number | null =>
    value === null || keep === "precision" ? value : relevant === 0 ? null : value / relevant;
  const cut = target === null || target === 0 ? null : found;
  const shown = cut && candidate.filter(({ score }) => score >= cut.score).length;
  return {
    keep,
    baselineThreshold,
    kept: share(target),
    threshold: cut && fewestDecimals(cut.score, candidate[shown!]?.score),
    reached: share(cut && cut.value),
    best: share(best),
    baselineShown: baseline.length,
    candidateShown: shown,
    ...(cut === null ? { lower: null, upper: null } : bounds(find, keep, clusters.size, { alpha, rounds, seed })),
  };
}

/** A resample whose precision no threshold keeps would need one above every score, one of recall below. */
const BEYOND = { precision: Infinity, recall: -Infinity } as const;

/** Percentiles of the thresholds of resamples. One with nothing to keep could have any. */
function bounds(
  find: (weights: Float64Array) => { target: number | null; found: { score: number } | null },
  keep: Keep,
  clusters: number,
  { alpha, rounds, seed }: { alpha: number; rounds: number; seed: number },
): { lower: number | null; upper: number | null } {
  const random = createRandom(seed);
  const [lows, highs] = [new Float64Array(rounds), new Float64Array(rounds)];
  for (let round = 0; round < rounds; round++) {
    const weights = new Float64Array(clusters);
    for (let draw = 0; draw < clusters; draw++) weights[Math.floor(nextWord(random) * clusters * WORD)]!++;
    const { target, found } = find(weights);
    const nothing = target === null || target === 0;
    lows[round] = nothing ? -Infinity : (found?.score ?? BEYOND[keep]);
    highs[round] = nothing ? Infinity : (found?.score ?? BEYOND[keep]);
  }
  const at = (values: Float64Array, share: number): number | null => {
    const value = values.toSorted()[Math.min(rounds - 1, Math.floor(share * rounds))]!;
    return Number.isFinite(value) ? value : null;
  };
  return { lower: at(lows, alpha), upper: at(highs, 1 - alpha) };
}

/** Precision of what is shown, or how many relevant ones are (the recall before it is divided by what both sides share). Null: nothing is shown. */
function valueOf(shown: readonly Shown[], weights: Float64Array, keep: Keep): number | null {
  let all = 0;
  let relevant = 0;
  for (const result of shown) {
    const weight = weights[result.cluster]!;
    all += weight;
    if (result.relevant) relevant += weight;
  }
  if (all === 0) return null;
  return keep === "recall" ? relevant : relevant / all;
}

/** Equal scores are shown or cut together. `best` is the most at any threshold. */
function findThreshold(
  ranked: readonly Shown[],
  weights: Float64Array,
  keep: Keep,
  target: number,
): { found: { score: number; value: number } | null; best: number | null } {
  let all = 0;
  let relevant = 0;
  let cutBefore = 0;
  let found: { score: number; value: number } | null = null;
  let best: number | null = null;
  for (const [place, result] of ranked.entries()) {
    const weight = weights[result.cluster]!;
    all += weight;
    if (result.relevant) relevant += weight;
    // a score that the resample does not have is no threshold of it
    if (ranked[place + 1]?.score === result.score || all === cutBefore) continue;
    cutBefore = all;
    const value = keep === "recall" ? relevant : relevant / all;
    best = Math.max(best ?? 0, value);
    if (value < target - 1e-12 || (keep === "recall" && found !== null)) continue;
    found = { score: result.score, value };
  }
  return { found, best };
}

/** What people copy from a report cuts as the score itself does: above the next lower score, and not above it. */
function fewestDecimals(score: number, nextLower: number | undefined): number {
  if (nextLower === undefined) return score;
  for (let decimals = 0; decimals < 16; decimals++) {
    const rounded = Math.floor(score * 10 ** decimals) / 10 ** decimals;
    if (rounded > nextLower && rounded <= score) return rounded;
  }
  return score;
}
