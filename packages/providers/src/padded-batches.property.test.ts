import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planPaddedBatches } from "./padded-batches.js";

const plan = fc.record({
  lengths: fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 200 }),
  maxItems: fc.integer({ min: 1, max: 40 }),
  maxPaddedTokens: fc.integer({ min: 1, max: 2_000 }),
});

describe("padded batches", () => {
  it("hold each text once and keep both bounds", () => {
    fc.assert(
      fc.property(plan, ({ lengths, ...bounds }) => {
        const batches = planPaddedBatches(lengths, bounds);
        expect(batches.flat().toSorted((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        for (const batch of batches) {
          const padded = batch.length * Math.max(...batch.map((i) => lengths[i]!));
          expect(batch.length).toBeLessThanOrEqual(bounds.maxItems);
          expect(batch.length === 1 || padded <= bounds.maxPaddedTokens).toBe(true);
        }
      }),
    );
  });

  it.each([
    ["nothing", [], []],
    ["longest first", [3, 9, 5], [[1], [2, 0]]],
    ["a text over the bound alone", [20, 1], [[0], [1]]],
  ])("%s", (_, lengths, batches) => {
    expect(planPaddedBatches(lengths, { maxItems: 2, maxPaddedTokens: 10 })).toEqual(batches);
  });
});
