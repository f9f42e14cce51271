import { bootstrapMean } from "./bootstrap.js";
import { clusterTotals } from "./clusters.js";
import { effectSize, minimumDetectableEffect } from "./power.js";
import { randomisationTest } from "./randomisation.js";

/** One query, answered by both sides. */
export interface Pair {
  readonly baseline: number;
  readonly candidate: number;
  /** Pairs of one cluster are resampled together. */
  readonly cluster: number;
}

export interface PairedSettings {
  /** Chance of error of each bound, one-sided. */
  readonly alpha: number;
  /** How much worse the candidate may be, in the metric's unit, 0 or more. */
  readonly margin: number;
  /** Resamples, and coins tossed. */
  readonly rounds: number;
  readonly seed: number;
}

/** Candidate minus baseline over one set of queries, in the metric's unit. */
export interface PairedResult {
  readonly queries: number;
  /** Groups of queries that share no judged document with another. */
  readonly clusters: number;
  readonly baseline: number;
  readonly candidate: number;
  readonly difference: number;
  /** The true difference is above it but for a chance of alpha. */
  readonly lower: number;
  /** The true difference is below it but for a chance of alpha. */
  readonly upper: number;
  readonly standardError: number;
  /** Of the paired randomisation test, two-sided. */
  readonly pValue: number;
  /** Smallest alpha with which the upper bound would be below minus the margin. */
  readonly pWorse: number;
  /** Mean over standard deviation; null when every query differs by the same amount. */
  readonly effectSize: number | null;
  /** How far beyond the margin a true difference must be to be found by so many queries, with the chance of POWER. */
  readonly minimumDetectableEffect: number;
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
}

/** Differences smaller than this are rounding: a sum in another order. */
const SAME = 1e-12;

/** @param pairs at least one. Their order does not matter but for the last bit: sort them by query for equal results to the bit */
export function comparePairs(pairs: readonly Pair[], settings: PairedSettings): PairedResult {
  const { alpha, margin, rounds, seed } = settings;
  const differences = Float64Array.from(pairs, ({ baseline, candidate }) => candidate - baseline);
  const totals = clusterTotals(
    differences,
    pairs.map(({ cluster }) => cluster),
  );
  const bootstrap = bootstrapMean(totals, { rounds, seed });
  const mean = (side: "baseline" | "candidate") => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
  const wins = differences.filter((difference) => difference > SAME).length;
  const losses = differences.filter((difference) => difference < -SAME).length;
  return {
    queries: pairs.length,
    clusters: totals.sums.length,
    baseline: mean("baseline"),
    candidate: mean("candidate"),
    difference: bootstrap.mean,
    ...bootstrap.bounds(alpha),
    standardError: bootstrap.standardError,
    pValue: randomisationTest(totals, { rounds, seed }),
    pWorse: bootstrap.tailBelow(-margin),
    effectSize: effectSize(differences),
    minimumDetectableEffect: minimumDetectableEffect(bootstrap.standardError, alpha),
    wins,
    losses,
    ties: pairs.length - wins - losses,
  };
}
