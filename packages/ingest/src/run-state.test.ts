import { describe, expect, it } from "vitest";
import { mayFollow, statesBefore, UNFINISHED } from "./run-state.js";

describe("run states", () => {
  it.each([
    ["plan", "fill", true],
    ["fill", "index", true],
    ["index", "verify", true],
    ["verify", "ready", true],
    ["verify", "fill", false],
    ["plan", "ready", false],
    ["fill", "ready", false],
    ["ready", "fill", false],
    ["rolled_back", "ready", false],
    ["aborted", "plan", false],
    ["failed", "plan", false],
    ["paused", "fill", true],
    ["paused", "failed", true],
    ["paused", "index", false],
    ["paused", "ready", false],
  ] as const)("%s -> %s is %s", (from, to, may) => expect(mayFollow(from, to)).toBe(may));

  it("reaches ready only through verify", () => expect(statesBefore("ready")).toEqual(["verify"]));

  it("ends with its namespace from every end that kept one", () =>
    expect(statesBefore("retired")).toEqual(["ready", "failed", "rolled_back"]));

  it("counts every state that still writes as unfinished, and no final one", () => {
    expect([...UNFINISHED].toSorted()).toEqual(["fill", "index", "paused", "plan", "verify"]);
  });
});
