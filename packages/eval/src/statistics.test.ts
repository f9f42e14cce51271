import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootstrapMean } from "./bootstrap.js";
import { clusterQueries, clusterTotals } from "./clusters.js";
import { normalCdf, normalQuantile, studentQuantile, studentTail } from "./distributions.js";
import { holm } from "./holm.js";
import { effectSize, minimumDetectableEffect, power, queriesNeeded } from "./power.js";
import { createRandom, nextWord } from "./random.js";
import { randomisationTest } from "./randomisation.js";

const single = (values: readonly number[]) =>
  clusterTotals(
    values,
    values.map((_, place) => place),
  );
// Source: Fisher, "The Design of Experiments", 1935, section 17: Darwin's maize, crossed minus self-fertilised, in eighths of an inch.
const MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
// Source: Davison and Hinkley, "Bootstrap Methods and their Application", 1997, example 1.1: hours between failures of air-conditioning.
const AIR_CONDITIONING = [3, 5, 7, 18, 43, 85, 91, 98, 100, 130, 230, 487];

describe("distributions", () => {
  // Values of scipy 1.17.1.
  it.each([
    [normalCdf(-3), 0.0013498980316300933],
    [normalCdf(1.96), 0.9750021048517795],
    [normalQuantile(0.95), 1.6448536269514722],
    [normalQuantile(1e-5), -4.264890793922825],
    [studentTail(2.5, 3), 0.04385332350403275],
    [studentTail(2.5, 4), 0.03338327240599415],
    [studentTail(2.5, 10), 0.01572342211830441],
    [studentQuantile(0.05, 2), 2.919985580353726],
    [studentQuantile(0.05, 49), 1.6765508919142635],
    [studentQuantile(0.025, 9), 2.2621571628540993],
  ])("%s", (seen, want) => expect(seen).toBeCloseTo(want, 7));
});

describe("createRandom", () => {
  it("gives the same words for the same seed, and others for the next one", () => {
    const words = (seed: number) => {
      const random = createRandom(seed);
      return Array.from({ length: 3 }, () => nextWord(random));
    };
    expect(words(1)).toEqual(words(1));
    expect(new Set([0, 1, 2, 2 ** 32, 2 ** 32 + 1].flatMap(words)).size).toBe(15);
    // pins the stream: a change of it changes every verdict's last digits
    expect(words(42)).toMatchInlineSnapshot(`
      [
        178765862,
        1441906027,
        1148362002,
      ]
    `);
  });
  it("fills the range evenly", () => {
    const random = createRandom(3);
    const bins = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 160_000; i++) bins[nextWord(random) >>> 28]!++;
    // chi-squared with 15 degrees of freedom is above 37.7 once in a thousand
    expect(bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(37.7);
  });
});

describe("clusterQueries", () => {
  const queries = (...documents: string[]) =>
    documents.map((letters) => new Map(letters.split("").map((id) => [id, 0])));
  it.each([
    ["no document in common", queries("a", "b", "c"), [0, 1, 2]],
    ["one in common", queries("a", "b", "ac"), [0, 1, 0]],
    ["through another query", queries("a", "b", "ab", "d"), [0, 0, 0, 1]],
    ["through a chain", queries("ab", "x", "bc", "cd", "d"), [0, 1, 0, 0, 0]],
    ["nothing judged", queries("", ""), [0, 1]],
    ["none", queries(), []],
  ])("%s", (_name, judgements, want) => expect([...clusterQueries(judgements)]).toEqual(want));
});

describe("bootstrapMean", () => {
  // Reference: scipy 1.17.1, stats.bootstrap(mean, method="BCa", 1e6 resamples) gives 51.58 and 254.4 at the confidence 0.978487, whose normal
  // quantile is the widened one of 12 values at alpha 0.025: sqrt(12 / 11) times Student's 2.2010.
  it("gives the BCa interval of a skewed sample, widened for its size", () => {
    const bootstrap = bootstrapMean(single(AIR_CONDITIONING), { rounds: 100_000, seed: 1 });
    expect(bootstrap.mean).toBeCloseTo(108.083, 3); // Davison and Hinkley, page 4
    expect(bootstrap.standardError).toBeCloseTo(37.66, 0);
    const { lower, upper } = bootstrap.bounds(0.025);
    expect(Math.abs(lower - 51.58)).toBeLessThan(1);
    expect(Math.abs(upper - 254.4)).toBeLessThan(3);
  });
  it("has tails that are its bounds the other way round", () => {
    const bootstrap = bootstrapMean(single(MAIZE), { rounds: 20_000, seed: 2 });
    const { lower, upper } = bootstrap.bounds(0.05);
    expect(bootstrap.tailAbove(lower)).toBeCloseTo(0.05, 2);
    expect(bootstrap.tailBelow(upper)).toBeCloseTo(0.05, 2);
    expect(bootstrap.tailAbove(1e9)).toBeGreaterThan(0.999);
    expect(bootstrap.tailBelow(1e9)).toBeLessThan(0.001);
  });
  it.each([
    ["all 0", [0, 0, 0], 0],
    ["all the same", [0.1, 0.1, 0.1], 0.1],
    ["one alone", [0.3], 0.3],
  ])("without variance both bounds are the mean: %s", (_name, values, want) => {
    const bootstrap = bootstrapMean(single(values), { rounds: 100, seed: 1 });
    expect(bootstrap.bounds(0.05)).toEqual({ lower: expect.closeTo(want, 12), upper: expect.closeTo(want, 12) });
    expect([bootstrap.standardError, bootstrap.tailAbove(-1), bootstrap.tailBelow(-1)]).toEqual([0, 0, 1]);
  });
  it("draws clusters whole: pairs of equal queries are no more evidence than one of each", () => {
    const values = MAIZE.map((value) => value / 100);
    const doubled = clusterTotals([...values, ...values], [...values.keys(), ...values.keys()]);
    const bounds = bootstrapMean(single(values), { rounds: 500, seed: 9 }).bounds(0.05);
    const twice = bootstrapMean(doubled, { rounds: 500, seed: 9 }).bounds(0.05);
    expect([twice.lower, twice.upper]).toEqual([expect.closeTo(bounds.lower, 12), expect.closeTo(bounds.upper, 12)]);
    const independent = bootstrapMean(single([...values, ...values]), { rounds: 500, seed: 9 }).bounds(0.05);
    expect(independent.upper - independent.lower).toBeLessThan(0.8 * (bounds.upper - bounds.lower));
  });
  it("is the same to the bit for the same seed, and holds the mean between its bounds", () =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 5, maxLength: 40 }),
        fc.nat(),
        (values, seed) => {
          const bounds = () => bootstrapMean(single(values), { rounds: 200, seed }).bounds(0.05);
          const { lower, upper } = bounds();
          expect(bounds()).toEqual({ lower, upper });
          expect(lower).toBeLessThanOrEqual(upper);
          expect(Number.isFinite(lower + upper)).toBe(true);
        },
      ),
      { numRuns: 50 },
    ));
});

describe("randomisationTest", () => {
  // Source: Fisher 1935, section 21: 1,726 of 32,768 arrangements are as far from 0.
  it("counts all signs when they are few enough", () =>
    expect(randomisationTest(single(MAIZE), { rounds: 32_768, seed: 1 }) * 32_768).toBe(1_726));
  it("tosses coins when they are not", () => {
    const p = randomisationTest(single(MAIZE), { rounds: 20_000, seed: 1 });
    expect(Math.abs(p - 1_726 / 32_768)).toBeLessThan(3 * Math.sqrt(0.0527 / 20_000));
  });
  it("is 1 without a difference", () => expect(randomisationTest(single([0, 0]), { rounds: 10, seed: 1 })).toBe(1));
});

describe("holm", () => {
  it.each([
    // Source: Wikipedia, "Holm-Bonferroni method", example, read 2026-11 (adjusted as R's p.adjust does).
    ["Wikipedia's example", [0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]],
    ["one alone", [0.04], [0.04]],
    ["none", [], []],
    ["never above 1", [0.6, 0.7], [1, 1]],
  ])("%s", (_name, pValues, want) => expect(holm(pValues)).toEqual(want.map((p) => expect.closeTo(p, 12))));
});

describe("power", () => {
  // Source: (1.645 + 0.842)^2 / 0.5^2 = 24.7, the usual one-sided table for an effect of half a standard deviation (Cohen 1988, normal approximation).
  it("queries needed for an effect of half a standard deviation", () =>
    expect(queriesNeeded(0.5, 0.1, { queries: 100, alpha: 0.05 })).toBe(25));
  it("with so many, the power is what was asked for", () => {
    expect(power(0.5, 1 / Math.sqrt(24.73), 0.05)).toBeCloseTo(0.8, 3);
    expect(power(minimumDetectableEffect(0.02, 0.05), 0.02, 0.05)).toBeCloseTo(0.8, 10);
    expect(power(0, 0.02, 0.05)).toBeCloseTo(0.05, 10);
  });
  it.each([
    ["no distance", 0, 0.1, null],
    ["on the wrong side", -0.1, 0.1, null],
    ["no variance", 0.1, 0, 1],
  ])("%s", (_name, distance, error, want) =>
    expect(queriesNeeded(distance, error, { queries: 50, alpha: 0.05 })).toBe(want),
  );
  it.each([
    // Fisher's t of the maize is 2.148; over the root of 15 pairs.
    [MAIZE, 2.148 / Math.sqrt(15)],
    [[0, 0, 0], 0],
    [[0.5, 0.5], null],
  ])("effect size", (values, want) => {
    const seen = effectSize(values);
    if (want === null) expect(seen).toBeNull();
    else expect(seen).toBeCloseTo(want, 3);
  });
});
