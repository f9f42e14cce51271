import { describe, expect, it } from "vitest";
import { atLeast, atMost, interleave, pairedRatio, row } from "./report.js";

describe("benchmark report", () => {
  it("takes turns and keeps the values of each contender in order", async () => {
    const calls: string[] = [];
    const contender = (name: string, factor: number) => async (round: number) => {
      calls.push(name);
      return round * factor;
    };
    const seen = await interleave(3, { a: contender("a", 1), b: contender("b", 10) });
    expect(calls).toEqual(["a", "b", "a", "b", "a", "b"]);
    expect(seen).toEqual({ a: [0, 1, 2], b: [0, 10, 20] });
  });

  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
  ])("the median of %o is %s", (values, median) => {
    expect(row("x", "ms", values)).toEqual({ name: "x", unit: "ms", median, min: 1, max: Math.max(...values) });
  });

  it("pairs ratios round by round", () => expect(pairedRatio([10, 40, 90], [10, 20, 30])).toBe(2));

  it.each([
    [atLeast("g", 0.8, 0.8).ok, true],
    [atLeast("g", 0.79, 0.8).ok, false],
    [atMost("g", 1.3, 1.3).ok, true],
    [atMost("g", 1.31, 1.3).ok, false],
  ])("goal %#", (ok, want) => expect(ok).toBe(want));
});
