import { describe, expect, it } from "vitest";
import type { Judgements } from "./judgements.js";
import {
  averagePrecisionAtK,
  isMetricName,
  METRIC_NAMES,
  METRICS,
  ndcgAtK,
  precisionAtK,
  recallAtK,
  reciprocalRankAtK,
  successAtK,
} from "./metrics.js";

const judged = (grades: Record<string, number>): Judgements => new Map(Object.entries(grades));
/** Documents d1, d2, ... of which those at these ranks are relevant, as a textbook draws a ranking. */
const ranks = (length: number, relevant: readonly number[]) => ({
  ranked: Array.from({ length }, (_, place) => `d${place + 1}`),
  judgements: judged(Object.fromEntries(relevant.map((rank) => [`d${rank}`, 1]))),
});

describe("published worked examples", () => {
  // Source: Wikipedia, "Discounted cumulative gain", example, read 2026-11: D1 to D6 graded 3 2 3 0 1 2, D7 and D8 graded 3 and 2.
  const wikipedia = judged({ D1: 3, D2: 2, D3: 3, D4: 0, D5: 1, D6: 2, D7: 3, D8: 2 });
  const six = ["D1", "D2", "D3", "D4", "D5", "D6"];
  it("nDCG of Wikipedia's example", () => expect(ndcgAtK("linear")(six, wikipedia, 6)).toBeCloseTo(0.785, 3));

  // Source: kaivid-labs.github.io/evret/metrics/ndcg, worked example, read 2026-11.
  it("nDCG of binary grades with a document that was not found", () =>
    expect(ndcgAtK("linear")(["d1", "d4", "d2", "d9", "d8"], judged({ d2: 1, d8: 1, d10: 1 }), 5)).toBeCloseTo(
      0.4162,
      4,
    ));

  // Source: insightful-data-lab.com, "DCG (Discounted Cumulative Gain)", 2025-08-22: grades 3 2 3 0 1 with exponential gain, DCG 12.78;
  // its best order 3 3 2 1 0 has 7 + 7 / 1.585 + 3 / 2 + 1 / 2.322 = 13.347.
  it("nDCG with exponential gain", () =>
    expect(ndcgAtK("exponential")(["a", "b", "c", "d", "e"], judged({ a: 3, b: 2, c: 3, d: 0, e: 1 }), 5)).toBeCloseTo(
      12.78 / 13.347,
      3,
    ));

  // Source: Croft, Metzler, Strohman, "Search Engines: Information Retrieval in Practice", figures 8.2 and 8.3.
  it.each([
    ["ranking 1", [1, 3, 4, 5, 6, 10], (1 + 0.67 + 0.75 + 0.8 + 0.83 + 0.6) / 6],
    ["ranking 2", [2, 5, 6, 7, 9, 10], 0.52],
  ])("average precision of the textbook's %s", (_name, relevant, want) => {
    const { ranked, judgements } = ranks(10, relevant);
    expect(averagePrecisionAtK(ranked, judgements, 10)).toBeCloseTo(want, 2);
  });
  it.each([
    [1, 0.17, 1],
    [5, 0.67, 0.8],
    [10, 1, 0.6],
  ])("recall and precision of the textbook's ranking 1 at %s", (k, recall, precision) => {
    const { ranked, judgements } = ranks(10, [1, 3, 4, 5, 6, 10]);
    expect(recallAtK(ranked, judgements, k)).toBeCloseTo(recall, 2);
    expect(precisionAtK(ranked, judgements, k)).toBeCloseTo(precision, 10);
  });

  // Source: Wikipedia, "Mean reciprocal rank", example, read 2026-11: first right answers at 3, 2 and 1 give 11/18.
  it("mean reciprocal rank of Wikipedia's example", () => {
    const values = [3, 2, 1].map((rank) => {
      const { ranked, judgements } = ranks(3, [rank]);
      return reciprocalRankAtK(ranked, judgements, 10);
    });
    expect(values.reduce((sum, value) => sum + value, 0) / 3).toBeCloseTo(11 / 18, 10);
  });
});

describe("successAtK", () => {
  it.each([
    ["first", ["a", "b", "c"], ["a"], 1, 1],
    ["second, asked for one", ["b", "a", "c"], ["a"], 1, 0],
    ["second, asked for two", ["b", "a", "c"], ["a"], 2, 1],
    ["fourth, asked for three", ["b", "c", "d", "a"], ["a"], 3, 0],
    ["chunks of one document count once", ["b", "b", "b", "a"], ["a"], 2, 1],
    ["nothing relevant", ["a"], [], 1, 0],
    ["nothing found", [], ["a"], 10, 0],
  ])("%s", (_name, ranked, relevant, k, want) =>
    expect(successAtK(ranked, new Map(relevant.map((id) => [id, 1])), k)).toBe(want),
  );
});

describe("trec_eval's conventions", () => {
  it.each([
    ["precision divides by k also when fewer were found", precisionAtK(["a"], judged({ a: 1 }), 10), 0.1],
    ["a grade below 1 is not relevant", recallAtK(["a", "b"], judged({ a: 0, b: 1 }), 1), 0],
    ["a grade below 0 gains nothing", ndcgAtK("linear")(["a", "b"], judged({ a: -1, b: 1 }), 2), 1 / Math.log2(3)],
    ["a query without a relevant document scores 0", ndcgAtK("linear")(["a"], judged({ a: 0 }), 1), 0],
    [
      "average precision divides by all relevant ones, found or not",
      averagePrecisionAtK(["a"], judged({ a: 1, b: 1 }), 5),
      0.5,
    ],
    ["the best order is cut at k too", ndcgAtK("linear")(["a"], judged({ a: 1, b: 1 }), 1), 1],
  ])("%s", (_name, seen, want) => expect(seen).toBeCloseTo(want, 12));
});

it.each([0, -1, 1.5, Number.NaN])("every metric refuses k = %s", (k) => {
  for (const name of METRIC_NAMES)
    expect(() => METRICS[name](["a"], judged({ a: 1 }), k)).toThrow(expect.objectContaining({ code: "EMB_USAGE" }));
});

it("knows its metrics by name", () => {
  expect(Object.keys(METRICS).toSorted()).toEqual([...METRIC_NAMES].toSorted());
  expect([isMetricName("ndcg"), isMetricName("toString"), isMetricName("NDCG")]).toEqual([true, false, false]);
});
