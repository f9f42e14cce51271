import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { METRIC_NAMES, METRICS } from "./metrics.js";

const id = fc.integer({ min: 0, max: 14 }).map((number) => `d${number}`);
const ranking = fc.uniqueArray(id, { maxLength: 15 });
const judgements = fc
  .uniqueArray(fc.tuple(id, fc.integer({ min: -1, max: 4 })), { selector: ([document]) => document, maxLength: 15 })
  .map((rows) => new Map(rows));
const k = fc.integer({ min: 1, max: 20 });

describe.each(METRIC_NAMES)("%s", (name) => {
  const metric = METRICS[name];
  it("is 0 to 1", () =>
    fc.assert(
      fc.property(ranking, judgements, k, (ranked, judged, depth) => {
        const value = metric(ranked, judged, depth);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
      }),
    ));
  it("does not depend on the order of the judgements", () =>
    fc.assert(
      fc.property(ranking, judgements, k, (ranked, judged, depth) => {
        const turned = new Map([...judged].toReversed());
        expect(metric(ranked, turned, depth)).toBe(metric(ranked, judged, depth));
      }),
    ));
  it("does not change when documents get other names", () =>
    fc.assert(
      fc.property(ranking, judgements, k, (ranked, judged, depth) => {
        const other = (document: string) => `x-${document}`;
        const renamed = new Map([...judged].map(([document, grade]) => [other(document), grade]));
        expect(metric(ranked.map(other), renamed, depth)).toBe(metric(ranked, judged, depth));
      }),
    ));
  it("is never lowered by a best document on top of the list", () =>
    fc.assert(
      fc.property(ranking, judgements, k, (ranked, judged, depth) => {
        const best = new Map(judged).set("best", 4);
        expect(metric(["best", ...ranked], best, depth)).toBeGreaterThanOrEqual(metric(ranked, best, depth) - 1e-12);
      }),
    ));
  it("is not raised by what comes after k", () =>
    fc.assert(
      fc.property(ranking, judgements, k, (ranked, judged, depth) => {
        expect(metric(ranked.slice(0, depth), judged, depth)).toBe(metric(ranked, judged, depth));
      }),
    ));
});
