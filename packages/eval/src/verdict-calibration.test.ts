import { describe, expect, it } from "vitest";
import { comparePairs } from "./paired.js";
import { power, queriesNeeded } from "./power.js";
import { createRandom, nextWord, WORD } from "./random.js";
import { decideVerdict, type Verdict } from "./verdict.js";

/**
 * The verdict's chances of error by simulation: is it wrong as often as it says, and does it find what it says it finds? A mean as far as the
 * margin below 0 is the case in which GO and NO-GO are hardest to keep apart.
 */
const COMPARISONS = 2_000;
const ALPHA = 0.05;
const ROUNDS = 500;

/** Three standard deviations of a share that is counted over COMPARISONS. */
const within = (share: number) => 3 * Math.sqrt((share * (1 - share)) / COMPARISONS);

/** Draws one group of queries that hang together, as differences candidate - baseline. */
type Population = (uniform: () => number) => number[];

const gaussian = (uniform: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

const gain = (rank: number): number => (rank > 10 ? 0 : 1 / Math.log2(rank + 1));

/** nDCG@10 of queries with one relevant document: two thirds keep their rank, the others get another one. Mean -0.02527, sd 0.307 (2e6 draws). */
const moved: Population = (uniform) => {
  const rank = (first: number) => (uniform() < first ? 1 : 2 + Math.floor(uniform() * 13));
  const before = rank(0.7);
  return [uniform() < 0.65 ? 0 : gain(rank(0.6)) - gain(before)];
};
const MOVED_MEAN = -0.02527;

function shares(population: Population, groups: number, margin: number, seed: number): Record<Verdict["kind"], number> {
  const random = createRandom(seed);
  const uniform = () => nextWord(random) * WORD;
  const counts = { GO: 0, "NO-GO": 0, INCONCLUSIVE: 0 };
  for (let comparison = 0; comparison < COMPARISONS; comparison++) {
    const pairs = Array.from({ length: groups }, (_, cluster) =>
      population(uniform).map((candidate) => ({ baseline: 0, candidate, cluster })),
    ).flat();
    const result = comparePairs(pairs, { alpha: ALPHA, margin, rounds: ROUNDS, seed: comparison });
    const settings = { metric: "ndcg@10", alpha: ALPHA, margin, minEffect: null, minSliceQueries: 20 };
    counts[decideVerdict(result, [], [], settings).verdict.kind]++;
  }
  return { GO: counts.GO / COMPARISONS, "NO-GO": counts["NO-GO"] / COMPARISONS, INCONCLUSIVE: 0 };
}

describe("at a true difference of minus the margin, each wrong verdict comes with a chance of alpha", () => {
  it.each<[string, Population, number, number]>([
    ["queries whose first rank moves", moved, 150, -MOVED_MEAN],
    ["normal differences", (uniform) => [0.2 * gaussian(uniform) - 0.03], 60, 0.03],
    [
      "queries that share their documents, one to three in a group",
      (uniform) => {
        const shared = 0.2 * gaussian(uniform) - 0.03;
        return Array.from({ length: 1 + Math.floor(uniform() * 3) }, () => shared + 0.05 * gaussian(uniform));
      },
      60,
      0.03,
    ],
  ])("%s", { timeout: 60_000 }, (_name, population, groups, margin) => {
    const seen = shares(population, groups, margin, 7);
    expect(seen.GO).toBeLessThan(ALPHA + within(ALPHA));
    expect(seen["NO-GO"]).toBeLessThan(ALPHA + within(ALPHA));
    // and no less than that either: a verdict that never comes would pass above
    expect(seen.GO).toBeGreaterThan(ALPHA / 2);
    expect(seen["NO-GO"]).toBeGreaterThan(ALPHA / 2);
  });
});

it("at twice the margin NO-GO has the power that the number of queries was said to give", { timeout: 60_000 }, () => {
  const [margin, deviation] = [0.03, 0.1];
  const queries = queriesNeeded(margin, deviation, { queries: 1, alpha: ALPHA })!;
  const claimed = power(margin, deviation / Math.sqrt(queries), ALPHA);
  expect([queries, claimed]).toEqual([69, expect.closeTo(0.8, 1)]);
  const seen = shares((uniform) => [deviation * gaussian(uniform) - 2 * margin], queries, margin, 8);
  expect(Math.abs(seen["NO-GO"] - claimed)).toBeLessThan(within(claimed) + 0.01); // Student's quantile asks a little more than the normal one
  expect(seen.GO).toBe(0);
});
