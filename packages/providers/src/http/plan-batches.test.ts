import { expect, it } from "vitest";
import { halves, planBatches } from "./plan-batches.js";

const sizes = (texts: readonly string[], maxItems: number, maxTokens: number | null) =>
  planBatches(texts, { maxItems, maxTokens }).map(({ start, end }) => end - start);

it.each([
  ["nothing", [], 3, null, []],
  ["by items", ["a", "b", "c", "d", "e"], 2, null, [2, 2, 1]],
  ["by tokens, the bytes of a text and 4", ["aaaa", "aaaa", "aaaa"], 9, 16, [2, 1]],
  ["bytes, not characters", ["éé", "éé", "aaaa"], 9, 16, [2, 1]],
  ["a text over the bound alone", ["a", "a".repeat(50), "a"], 9, 16, [1, 1, 1]],
  ["by whichever bound comes first", ["a", "a", "a", "a"], 3, 10, [2, 2]],
])("cuts %s", (_, texts, maxItems, maxTokens, expected) => {
  expect(sizes(texts, maxItems, maxTokens)).toEqual(expected);
});

it("halves a batch", () => {
  expect(halves({ start: 3, end: 8 })).toEqual([
    { start: 3, end: 5 },
    { start: 5, end: 8 },
  ]);
});
