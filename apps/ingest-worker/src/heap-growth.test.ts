import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { HEAP_GROWTH } from "./heap-growth.js";

it("the engine knows what is asked of it: of another one it would only say so", () => {
  const told = (flag: string) =>
    spawnSync(process.execPath, ["-e", `require("node:v8").setFlagsFromString(${JSON.stringify(flag)})`], {
      encoding: "utf8",
    }).stderr;
  expect(told(HEAP_GROWTH)).toBe("");
  expect(told("--no-such-thing")).toContain("no-such-thing");
});
