import type { ClusterTotals } from "./clusters.js";
import { createRandom, nextWord } from "./random.js";

/** How far a sum may be from an equal one by rounding alone. */
const ROUNDING = 1e-9;

/**
 * Paired randomisation test: how often a mean at least as far from 0 comes about when each cluster's difference has its sign by the toss of a coin.
 * Two-sided. Exact when all signs are fewer than `rounds`, else (1 + as far) / (1 + rounds), so never 0.
 * Source: Fisher, "The Design of Experiments", 1935, section 21; Smucker, Allan, Carterette, CIKM 2007.
 */
export function randomisationTest({ sums }: ClusterTotals, { rounds, seed }: { rounds: number; seed: number }): number {
  const differing = sums.filter((sum) => sum !== 0); // the sign of 0 changes nothing
  const observed = Math.abs(differing.reduce((sum, value) => sum + value, 0));
  const limit = observed - ROUNDING * Math.max(1, observed);
  if (differing.length < 31 && 2 ** differing.length <= rounds) return exactShare(differing, limit);
  const random = createRandom(seed);
  let asFar = 0;
  for (let round = 0; round < rounds; round++) {
    let sum = 0;
    let coins = 0;
    for (let i = 0; i < differing.length; i++) {
      if (i % 32 === 0) coins = nextWord(random);
      sum += coins & 1 ? differing[i]! : -differing[i]!;
      coins >>>= 1;
    }
    if (Math.abs(sum) >= limit) asFar++;
  }
  return (1 + asFar) / (1 + rounds);
}

function exactShare(values: Float64Array, limit: number): number {
  const ways = 2 ** values.length;
  let asFar = 0;
  for (let signs = 0; signs < ways; signs++) {
    const sum = values.reduce((so, value, i) => so + (signs & (1 << i) ? value : -value), 0);
    if (Math.abs(sum) >= limit) asFar++;
  }
  return asFar / ways;
}
