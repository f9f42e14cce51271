import { describe, expect, it } from "vitest";
import { calibrateThreshold, type CutQuery } from "./calibration.js";
import { createRandom, nextWord, WORD } from "./random.js";

const OPTIONS = { baselineThreshold: 0.5, alpha: 0.05, rounds: 500, seed: 1 };
const scored = (scores: Record<string, number>) => Object.entries(scores).map(([id, score]) => ({ id, score }));

describe("by hand", () => {
  // Above 0.5 the baseline shows a, b and c: two of three are relevant, of three relevant ones in all.
  const query: CutQuery = {
    judgements: new Map([
      ["a", 1],
      ["b", 1],
      ["e", 1],
      ["c", 0],
    ]),
    baseline: scored({ a: 0.9, c: 0.7, b: 0.5, e: 0.2 }),
    candidate: scored({ a: 0.3, x: 0.25, b: 0.2, y: 0.15, e: 0.1, z: 0.05 }),
    cluster: 0,
  };
  it("precision: the lowest threshold with at least the baseline's", () =>
    // candidate: 1/1, 1/2, 2/3, 2/4, 3/5, 3/6
    expect(calibrateThreshold([query], { ...OPTIONS, keep: "precision" })).toMatchObject({
      kept: expect.closeTo(2 / 3, 12),
      threshold: 0.2,
      reached: expect.closeTo(2 / 3, 12),
    }));
  it("recall: the highest threshold with at least the baseline's", () =>
    expect(calibrateThreshold([query], { ...OPTIONS, keep: "recall", baselineThreshold: 0.1 })).toMatchObject({
      kept: 1,
      threshold: 0.1,
      reached: 1,
    }));
  it("equal scores are shown or cut together", () => {
    const tied = { ...query, candidate: scored({ a: 0.3, b: 0.3, x: 0.3, e: 0.1 }) };
    expect(calibrateThreshold([tied], { ...OPTIONS, keep: "precision" })).toMatchObject({
      threshold: 0.1,
      reached: 0.75,
    });
  });
  it.each([
    ["the baseline shows nothing", { ...query, baseline: [] }, null],
    ["no threshold keeps it", { ...query, candidate: scored({ x: 1, y: 0.5 }) }, 2 / 3],
  ])("says so when %s", (_name, given, kept) =>
    expect(calibrateThreshold([given], { ...OPTIONS, keep: "precision" })).toEqual({
      keep: "precision",
      baselineThreshold: 0.5,
      kept: kept === null ? null : expect.closeTo(kept, 12),
      threshold: null,
      reached: null,
      lower: null,
      upper: null,
    }),
  );
});

it("finds the threshold again that the same scores on another scale have, and holds it in its interval", () => {
  const random = createRandom(5);
  const uniform = () => nextWord(random) * WORD;
  const queries = Array.from({ length: 300 }, (_, cluster): CutQuery => {
    const found = Array.from({ length: 10 }, (__, place) => ({
      id: `${cluster}-${place}`,
      score: uniform(),
      relevant: uniform(),
    }));
    return {
      cluster,
      judgements: new Map(found.map(({ id, score, relevant }) => [id, relevant < score ? 1 : 0])), // the better scored, the likelier relevant
      baseline: found.map(({ id, score }) => ({ id, score })),
      candidate: found.map(({ id, score }) => ({ id, score: 0.2 + score / 10 })),
    };
  });
  const { threshold, lower, upper, kept, reached } = calibrateThreshold(queries, { ...OPTIONS, keep: "precision" });
  expect(threshold).toBeCloseTo(0.25, 2);
  expect(reached).toBeCloseTo(kept!, 2);
  expect(lower!).toBeLessThanOrEqual(threshold!);
  expect(upper!).toBeGreaterThanOrEqual(threshold!);
  expect(upper! - lower!).toBeLessThan(0.02);
});
