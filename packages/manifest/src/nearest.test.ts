import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "./nearest.js";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["ab", "ba", 1],
    ["dims", "dmis", 1],
    ["ca", "abc", 3], // optimal string alignment: a swapped pair is not edited again
  ])("%j to %j is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it("is symmetric and 0 only for equal texts", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe("nearest", () => {
  const profiles = ["st_minilm", "st_minilm_fp32", "jina_v3", "bge_m3"];
  it.each([
    ["st-minilm", "st_minilm"],
    ["ST_MiniLM", "st_minilm"],
    ["st_minlim", "st_minilm"],
    ["jina_v2", "jina_v3"],
    ["bge_m33", "bge_m3"],
    ["voyage", null],
    ["", null],
    ["x".repeat(10_000), null],
  ])("of %j is %j", (seen, expected) => {
    expect(nearest(seen, profiles)).toBe(expected);
  });

  it("knows a shortened word", () => {
    expect(nearest("prod", ["development", "production", "staging", "test"])).toBe("production");
    expect(nearest("pr", ["production"])).toBe(null);
  });
});
