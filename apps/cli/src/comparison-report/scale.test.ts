import { describe, expect, it } from "vitest";
import { decimalsOf, linearScale, logScale, percent, scaleAround, ticks } from "./scale.js";

describe("a place on an axis", () => {
  it("is a share of its length, and stays within it", () => {
    const scale = linearScale(-1, 3);
    expect([-1, 0, 3, 9, -9].map((value) => scale.at(value))).toEqual([0, 0.25, 1, 1, 0]);
    expect(logScale(1, 100).at(10)).toBeCloseTo(0.5, 12);
    expect(linearScale(2, 2).at(2)).toBe(0.5);
    expect(percent(1 / 3)).toBe("33.333%");
  });
  it("has air around what it shows, also around one value", () => {
    const { least, most } = scaleAround([0, 1]);
    expect([least, most]).toEqual([-0.08, 1.08]);
    expect(scaleAround([0]).most).toBeGreaterThan(0);
  });
  it.each([
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1], 1],
    [-0.013, 0.021, [-0.01, 0, 0.01, 0.02], 2],
    [0, 740, [0, 200, 400, 600], 0],
    [5, 5, [5], 0],
  ])("from %d to %d has round ticks", (least, most, expected, decimals) => {
    const found = ticks(linearScale(least, most));
    expect(found).toEqual(expected);
    expect(decimalsOf(found)).toBe(decimals);
  });
});
