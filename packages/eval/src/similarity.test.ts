import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kendallTau, overlapAtK, rankBiasedOverlap } from "./similarity.js";
import { scoreShift } from "./similarity-summary.js";

const letters = (text: string): string[] => text.split("");
const ranking = fc.uniqueArray(fc.integer({ min: 0, max: 12 }).map(String), { maxLength: 10 });

describe("overlapAtK", () => {
  it.each([
    ["abc", "abc", 3, 1],
    ["abc", "cab", 3, 1],
    ["abcd", "abxy", 4, 0.5],
    ["abc", "xyz", 3, 0],
    ["abc", "abxyz", 3, 2 / 3],
    ["ab", "abcd", 4, 0.5],
    ["", "", 3, 1],
    ["a", "", 3, 0],
  ])("%s and %s to %s", (a, b, k, want) => expect(overlapAtK(letters(a), letters(b), k)).toBeCloseTo(want, 12));
});

describe("rankBiasedOverlap", () => {
  it.each([
    // Source: README of b4ny4n/rankmeasures, read 2026-11.
    ["abcde", "bcdae", 0.9, 0.828],
    // Source: README of the Python package rbo 0.1.3 (pypi), read 2026-11: a list and a longer one that begins with it.
    ["abcde", "abcdefg", 0.9, 1],
    ["abcde", "fghij", 0.9, 0],
    // By hand: p = 0.5, lists of two that are swapped: (1 - p) / p * (1 * p^2) + 1 * p^2.
    ["ab", "ba", 0.5, 0.5],
    ["", "", 0.9, 1],
    ["", "abc", 0.9, 0],
  ])("%s and %s", (a, b, p, want) => expect(rankBiasedOverlap(letters(a), letters(b), p)).toBeCloseTo(want, 3));

  /** Equation 32 term by term, with sets: nothing is carried from one depth to the next. */
  const byDefinition = (a: readonly string[], b: readonly string[], p: number): number => {
    const [short, long] = a.length < b.length ? [a, b] : [b, a];
    const [s, l] = [short.length, long.length];
    const overlap = (d: number) => short.slice(0, d).filter((id) => long.slice(0, d).includes(id)).length;
    let sum = 0;
    for (let d = 1; d <= l; d++) sum += (overlap(d) / d) * p ** d;
    for (let d = s + 1; d <= l; d++) sum += ((overlap(s) * (d - s)) / (s * d)) * p ** d;
    return ((1 - p) / p) * sum + ((overlap(l) - overlap(s)) / l + overlap(s) / s) * p ** l;
  };
  it("is equation 32, is symmetric and stays in 0 to 1", () =>
    fc.assert(
      fc.property(ranking, ranking, fc.double({ min: 0.1, max: 0.99, noNaN: true }), (a, b, p) => {
        const value = rankBiasedOverlap(a, b, p);
        if (a.length > 0 && b.length > 0) expect(value).toBeCloseTo(byDefinition(a, b, p), 12);
        expect(rankBiasedOverlap(b, a, p)).toBeCloseTo(value, 12);
        expect(value).toBeGreaterThanOrEqual(-1e-12);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
        expect(rankBiasedOverlap(a, a, p)).toBeCloseTo(1, 12);
      }),
    ));
});

describe("kendallTau", () => {
  it.each([
    // Source: Wikipedia, "Kendall tau rank correlation coefficient" (2009), people A to H ranked by height and by weight 3 4 1 2 5 7 8 6: 0.57.
    ["ABCDEFGH", "CDABEHFG", 0.57],
    ["abc", "abc", 1],
    ["abc", "cba", -1],
    ["axbyc", "cqba", -1],
    ["ab", "bca", -1],
  ])("%s and %s", (a, b, want) => expect(kendallTau(letters(a), letters(b))).toBeCloseTo(want, 2));
  it.each([
    ["", ""],
    ["abc", "cxy"],
  ])("%s and %s share too little", (a, b) => expect(kendallTau(letters(a), letters(b))).toBeNull());
});

it("scoreShift tells both scales and how far they are apart", () => {
  expect(scoreShift([])).toBeNull();
  expect(
    scoreShift([
      [0.5, 0.9],
      [0.7, 0.8],
      [0.6, 1.0],
      [0.8, 0.9],
    ]),
  ).toEqual({
    baseline: { p25: 0.5, p50: 0.6, p75: 0.7 },
    candidate: { p25: 0.8, p50: 0.9, p75: 0.9 },
    mean: expect.closeTo(0.25, 12),
  });
});
