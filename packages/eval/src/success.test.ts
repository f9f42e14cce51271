import { describe, expect, it } from "vitest";
import { successAtK } from "./success.js";

describe("successAtK", () => {
  it.each([
    ["first", ["a", "b", "c"], ["a"], 1, 1],
    ["second, asked for one", ["b", "a", "c"], ["a"], 1, 0],
    ["second, asked for two", ["b", "a", "c"], ["a"], 2, 1],
    ["fourth, asked for three", ["b", "c", "d", "a"], ["a"], 3, 0],
    ["chunks of one document count once", ["b", "b", "b", "a"], ["a"], 2, 1],
    ["nothing relevant", ["a"], [], 1, 0],
    ["nothing found", [], ["a"], 10, 0],
  ])("%s", (_name, ranked, relevant, k, want) => expect(successAtK(ranked, new Set(relevant), k)).toBe(want));

  it.each([0, -1, 1.5, Number.NaN])("refuses k = %s", (k) => {
    expect(() => successAtK(["a"], new Set(["a"]), k)).toThrow(expect.objectContaining({ code: "EMB_USAGE" }));
  });
});
