import type { ClusterTotals } from "./clusters.js";
import { normalCdf, normalQuantile, studentQuantile, studentTail } from "./distributions.js";
import { createRandom, WORD } from "./random.js";

/** What may be said of a mean difference by resampling whole clusters. */
export interface Bootstrap {
  readonly mean: number;
  /** Of the mean, from the resampled means; 0 when they are all equal. */
  readonly standardError: number;
  /** The value that the true mean is above, and below, with a chance of error of `alpha` each. */
  bounds(alpha: number): { lower: number; upper: number };
  /** The smallest alpha with which the lower bound is above `value`. */
  tailAbove(value: number): number;
  /** The smallest alpha with which the upper bound is below `value`. */
  tailBelow(value: number): number;
}

/**
 * Bias-corrected and accelerated (BCa) bootstrap of a mean over queries, in which clusters are drawn whole.
 * Source: Efron, "Better Bootstrap Confidence Intervals", JASA 82, 1987; acceleration by the jackknife over clusters. Normal quantiles are
 * widened to sqrt(n / (n - 1)) times Student's, n the clusters, without which few clusters give intervals that are too narrow: Hesterberg,
 * "What Teachers Should Know about the Bootstrap", The American Statistician 69(4), 2015, expanded percentile interval.
 * Resamples that are all equal have no variance: both bounds are then the mean itself.
 * @param options.rounds resamples. @param options.seed equal seeds give equal results to the bit
 */
export function bootstrapMean(totals: ClusterTotals, { rounds, seed }: { rounds: number; seed: number }): Bootstrap {
  const clusters = totals.sums.length;
  const mean = total(totals.sums) / totals.queries;
  if (clusters < 2 || !varies(totals, mean)) return constant(mean);
  const means = resampledMeans(totals, rounds, seed).toSorted();
  const bias = normalQuantile(clampShare(shareBelow(means, mean), rounds));
  const acceleration = accelerate(totals);
  const widening = Math.sqrt(clusters / (clusters - 1));
  const df = clusters - 1;

  const boundAt = (z: number): number => {
    const shifted = bias + (bias + z) / (1 - acceleration * (bias + z));
    return quantile(means, normalCdf(shifted));
  };
  /** The z whose bound is at `value`: `boundAt` the other way round. */
  const zAt = (value: number): number => {
    const w = normalQuantile(clampShare(shareBelow(means, value), rounds)) - bias;
    return w / (1 + acceleration * w) - bias;
  };
  return {
    mean,
    standardError: deviation(means),
    bounds(alpha) {
      const z = widening * studentQuantile(alpha, df);
      return { lower: boundAt(-z), upper: boundAt(z) };
    },
    tailAbove: (value) => studentTail(-zAt(value) / widening, df),
    tailBelow: (value) => studentTail(zAt(value) / widening, df),
  };
}

/** Means over queries of `rounds` resamples, in the order drawn. The time of an evaluation goes here. */
export function resampledMeans({ sums, sizes, queries }: ClusterTotals, rounds: number, seed: number): Float64Array {
  const clusters = sums.length;
  const means = new Float64Array(rounds);
  const scale = clusters * WORD;
  const equalSizes = queries === clusters;
  // sum and size of a cluster side by side: one place in memory for each draw
  const pairs = new Float64Array(equalSizes ? 0 : 2 * clusters);
  if (!equalSizes) for (let i = 0; i < clusters; i++) pairs.set([sums[i]!, sizes[i]!], 2 * i);
  let { s0, s1 } = createRandom(seed); // in variables of this loop: four times as fast as calls of nextWord
  for (let round = 0; round < rounds; round++) {
    let sum = 0;
    let size = equalSizes ? clusters : 0;
    for (let draw = 0; draw < clusters; draw++) {
      const word = Math.imul(s0, 0x9e3779bb) >>> 0;
      s1 ^= s0;
      s0 = ((s0 << 26) | (s0 >>> 6)) ^ s1 ^ (s1 << 9);
      s1 = (s1 << 13) | (s1 >>> 19);
      const cluster = (word * scale) | 0;
      if (equalSizes) sum += sums[cluster]!;
      else {
        sum += pairs[2 * cluster]!;
        size += pairs[2 * cluster + 1]!;
      }
    }
    means[round] = sum / size;
  }
  return means;
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** Whether some cluster's mean differs from the whole's by more than rounding. */
const varies = ({ sums, sizes }: ClusterTotals, mean: number): boolean =>
  sums.some((sum, i) => Math.abs(sum / sizes[i]! - mean) > 1e-12);

const constant = (mean: number): Bootstrap => ({
  mean,
  standardError: 0,
  bounds: () => ({ lower: mean, upper: mean }),
  tailAbove: (value) => (mean > value ? 0 : 1),
  tailBelow: (value) => (mean < value ? 0 : 1),
});

/** Share of the sorted values below `value`, equal ones counted half. */
function shareBelow(sorted: Float64Array, value: number): number {
  const firstNotBelow = search(sorted, (entry) => entry >= value);
  const firstAbove = search(sorted, (entry) => entry > value);
  return (firstNotBelow + firstAbove) / 2 / sorted.length;
}

/** A share that no finite number of resamples can show is kept from 0 and 1 by half a resample. */
const clampShare = (share: number, rounds: number): number => Math.min(Math.max(share, 0.5 / rounds), 1 - 0.5 / rounds);

/** The first place whose entry passes; the passing ones are at the end. */
function search(sorted: Float64Array, passes: (entry: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Between its two neighbours in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const place = Math.min(Math.max(share * sorted.length - 0.5, 0), sorted.length - 1);
  const before = Math.floor(place);
  const after = Math.min(before + 1, sorted.length - 1);
  const [a, b] = [sorted[before]!, sorted[after]!];
  return a === b ? a : a + (b - a) * (place - before);
}

/** Skewness of the mean's influence, by leaving out one cluster after the other. */
function accelerate({ sums, sizes, queries }: ClusterTotals): number {
  const all = total(sums);
  const without = sums.map((sum, i) => (all - sum) / (queries - sizes[i]!));
  const middle = total(without) / without.length;
  let squares = 0;
  let cubes = 0;
  for (const value of without) {
    squares += (middle - value) ** 2;
    cubes += (middle - value) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function deviation(values: Float64Array): number {
  const middle = total(values) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
