import { describe, expect, it } from "vitest";
import { calibrateThreshold, type Calibration, type CutQuery, type Keep } from "./calibration.js";
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
  const none = { threshold: null, reached: null, candidateShown: null, lower: null, upper: null };
  const irrelevant = scored({ x: 0.9, y: 0.6 });
  it.each<[string, Partial<CutQuery>, Keep, Partial<Calibration>]>([
    ["precision: the baseline shows nothing", { baseline: [] }, "precision", { kept: null, baselineShown: 0, best: 1 }],
    ["recall: the baseline shows nothing", { baseline: [] }, "recall", { kept: null, baselineShown: 0, best: 1 }],
    ["precision: it shows nothing relevant", { baseline: irrelevant }, "precision", { kept: 0, baselineShown: 2 }],
    ["recall: it shows nothing relevant", { baseline: irrelevant }, "recall", { kept: 0, baselineShown: 2 }],
    ["precision: nothing is relevant", { judgements: new Map([["a", 0]]) }, "precision", { kept: 0, best: 0 }],
    ["recall: nothing is relevant", { judgements: new Map([["a", 0]]) }, "recall", { kept: null, best: null }],
    ["precision: no threshold keeps it", { candidate: scored({ x: 1, a: 0.5 }) }, "precision", { best: 0.5 }],
    ["recall: no threshold keeps it", { candidate: scored({ x: 1, a: 0.5 }) }, "recall", { best: 1 / 3 }],
    [
      "the only relevant one is tied with another",
      { baseline: scored({ a: 0.9 }), candidate: scored({ a: 0.3, x: 0.3 }) },
      "precision",
      { kept: 1, best: 0.5 },
    ],
    ["the candidate finds nothing", { candidate: [] }, "precision", { kept: 2 / 3, best: null }],
  ])("gives no threshold when %s", (_name, given, keep, more) =>
    expect(calibrateThreshold([{ ...query, ...given }], { ...OPTIONS, keep })).toMatchObject({ ...none, ...more }),
  );

  it("a baseline's threshold below every score keeps what it has without one", () =>
    expect(calibrateThreshold([query], { ...OPTIONS, keep: "precision", baselineThreshold: -5 })).toMatchObject({
      kept: 0.75,
      baselineShown: 4,
      threshold: 0.3,
      candidateShown: 1,
    }));

  it("where every result is relevant all may be shown, and the interval tells from where on others would see any", () => {
    const queries = Array.from({ length: 40 }, (_, cluster): CutQuery => ({
      cluster,
      judgements: new Map([[`d${cluster}`, 1]]),
      baseline: [{ id: `d${cluster}`, score: 0.6 }],
      candidate: [{ id: `d${cluster}`, score: 0.2 + cluster / 100 }],
    }));
    const calibrated = calibrateThreshold(queries, { ...OPTIONS, keep: "precision" });
    expect(calibrated).toMatchObject({ kept: 1, reached: 1, threshold: 0.2, candidateShown: 40, lower: 0.2 });
    expect(calibrated.upper).toBeGreaterThan(0.2); // a resample lacks the lowest one with a chance of a third
    expect(calibrated.upper).toBeLessThan(0.25);
  });

  it("where many resamples have no threshold there is no bound on that side", () => {
    // half of the queries are lost to the candidate for good: its precision is the baseline's only by chance
    const queries = Array.from({ length: 40 }, (_, cluster): CutQuery => ({
      cluster,
      judgements: new Map([[cluster % 2 === 0 ? "a" : "b", 1]]),
      baseline: scored({ [cluster % 4 < 2 ? "a" : "b"]: 0.9 }),
      candidate: scored({ a: 0.4 }),
    }));
    const { kept, reached, threshold, lower, upper } = calibrateThreshold(queries, { ...OPTIONS, keep: "precision" });
    expect([kept, reached, threshold, lower, upper]).toEqual([0.5, 0.5, 0.4, 0.4, null]);
  });
});

it("the threshold has few decimals, and cuts as the score behind it does", () => {
  const random = createRandom(11);
  for (let round = 0; round < 200; round++) {
    const scale = 10 ** (round % 7) / 1e4; // as of rank fusion, of cosines, of BM25
    const documents = Array.from({ length: 20 }, (_, place) => ({
      id: `d${place}`,
      score: Math.fround(nextWord(random) * WORD * scale - scale / 3),
    })).toSorted((a, b) => b.score - a.score);
    const query: CutQuery = {
      cluster: 0,
      judgements: new Map(documents.flatMap(({ id }, place) => (place % 3 === 1 ? [[id, 1] as const] : []))),
      baseline: documents.slice(0, 5),
      candidate: documents,
    };
    const settings = { ...OPTIONS, baselineThreshold: -1e9, rounds: 1 };
    const { threshold, candidateShown } = calibrateThreshold([query], { ...settings, keep: "recall" });
    expect(documents.filter(({ score }) => score >= threshold!)).toHaveLength(candidateShown!);
    expect(candidateShown).toBe(5);
    const gap = documents[4]!.score - documents[5]!.score;
    expect(documents[4]!.score - threshold!).toBeLessThan(gap);
    const decimals = Math.max(0, Math.ceil(-Math.log10(gap)));
    expect(Number(threshold!.toFixed(decimals))).toBe(threshold);
  }
});

it.each(["precision", "recall"] as const)(
  "%s: in 300 samples the interval misses the true threshold about as often as it says, on either side",
  (keep) => {
    const random = createRandom(3);
    const uniform = () => nextWord(random) * WORD;
    const noise = () => 0.2 * (uniform() + uniform() - 1);
    /** Both sides see how relevant a document is equally well, the candidate on another scale. */
    const sample = (): CutQuery[] =>
      Array.from({ length: 60 }, (_, cluster) => {
        const documents = Array.from({ length: 6 }, (__, place) => ({ id: String(place), likely: uniform() }));
        return {
          cluster,
          judgements: new Map(documents.map(({ id, likely }) => [id, uniform() < likely ? 1 : 0])),
          baseline: documents.map(({ id, likely }) => ({ id, score: likely + noise() })),
          candidate: documents.map(({ id, likely }) => ({ id, score: 20 + 7 * (likely + noise()) })),
        };
      });
    const misses = { below: 0, above: 0 };
    for (let seed = 0; seed < 300; seed++) {
      const { lower, upper } = calibrateThreshold(sample(), { ...OPTIONS, keep, alpha: 0.1, rounds: 200, seed });
      if (lower !== null && lower > 23.5) misses.below++;
      if (upper !== null && upper < 23.5) misses.above++;
    }
    // 30 are expected of each, with a standard deviation of 5; percentiles of few queries are a little narrow
    for (const count of Object.values(misses)) expect(count).toBeGreaterThan(14);
    for (const count of Object.values(misses)) expect(count).toBeLessThan(50);
  },
);

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
