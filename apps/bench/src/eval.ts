import assert from "node:assert/strict";
import { bootstrapMean, clusterTotals } from "@emb/eval";
import { atMost, interleave, machine, pairedRatio, row, type BenchReport } from "./report.js";

const ROUNDS = 7;
const QUERIES = 10_000;
const RESAMPLES = 10_000;

/**
 * The whole interval of an evaluation, from differences and their clusters to BCa bounds, beside a loop over a typed array that resamples the differences of
 * single queries and takes percentiles: the least that a bootstrap can do. Queries alone, and in pairs that share a document.
 */
export async function runEval(): Promise<BenchReport> {
  const differences = Float64Array.from({ length: QUERIES }, (_, i) => Math.sin(i * i) / 3 + 0.01);
  const alone = differences.map((_, i) => i);
  const pairs = differences.map((_, i) => i >> 1);
  const time = (work: (round: number) => { lower: number; upper: number }) => (round: number) => {
    const start = performance.now();
    const { lower, upper } = work(round);
    const ms = performance.now() - start;
    assert.ok(lower < 0.01 && upper > 0.01 && upper - lower < 0.05, `${lower} to ${upper}`);
    return Promise.resolve(ms);
  };
  const ours = (clusters: Float64Array) =>
    time((seed) => bootstrapMean(clusterTotals(differences, clusters), { rounds: RESAMPLES, seed }).bounds(0.025));
  const contenders = {
    alone: ours(alone),
    pairs: ours(pairs),
    loop: time((round) => handWrittenLoop(differences, round + 1)),
  };
  await interleave(1, contenders); // compiles
  const seen = await interleave(ROUNDS, contenders);
  return {
    name: "eval",
    machine: machine(),
    rounds: ROUNDS,
    rows: [
      row("BCa bounds, every query a cluster", "ms", seen.alone),
      row("BCa bounds, clusters of two", "ms", seen.pairs),
      row("typed-array loop, percentiles", "ms", seen.loop),
    ],
    goals: [
      atMost("every query a cluster / loop", pairedRatio(seen.alone, seen.loop), 1.5),
      atMost("clusters of two / loop", pairedRatio(seen.pairs, seen.loop), 1.5),
    ],
  };
}

/** With xorshift32, the cheapest generator there is; Math.random takes four times as long. */
function handWrittenLoop(differences: Float64Array, seed: number): { lower: number; upper: number } {
  const means = new Float64Array(RESAMPLES);
  let state = seed;
  for (let round = 0; round < RESAMPLES; round++) {
    let sum = 0;
    for (let draw = 0; draw < QUERIES; draw++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      sum += differences[((state >>> 0) * (QUERIES / 2 ** 32)) | 0]!;
    }
    means[round] = sum / QUERIES;
  }
  means.sort(); // oxlint-disable-line unicorn/no-array-sort -- in place: a copy would be no part of the least
  return { lower: means[0.025 * RESAMPLES]!, upper: means[0.975 * RESAMPLES]! };
}
