import { readFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { z } from "zod";
import { SETTING_VARIABLES } from "@emb/config";
import { ROOT } from "./checkout.js";

const Turbo = z.object({
  tasks: z.object({ test: z.object({ cache: z.boolean(), passThroughEnv: z.array(z.string()) }) }),
});
const { test } = Turbo.parse(JSON.parse(readFileSync(join(ROOT, "turbo.json"), "utf8"))).tasks;

it("never takes a test's result from a cache", () => expect(test.cache).toBe(false));

it("passes every setting through to test tasks by name", () => {
  const missing = SETTING_VARIABLES.filter((name) => !test.passThroughEnv.includes(name));
  expect(missing).toEqual([]);
});

it("lets a variable arrive in a task", () => {
  // Turbo hides what is not declared, so this asks turbo itself for what one task of this package would get.
  const plan = spawnSync("npx", ["turbo", "run", "test", "--filter=@emb/matrix-tests", "--dry=json"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, EMBEDDINGS_PROFILE: "arrived", TURBO_TELEMETRY_DISABLED: "1" },
  });
  const Plan = z.object({
    tasks: z.array(
      z.object({ taskId: z.string(), environmentVariables: z.object({ passthrough: z.array(z.string()).nullable() }) }),
    ),
  });
  const { tasks } = Plan.parse(JSON.parse(plan.stdout));
  const own = tasks.find(({ taskId }) => taskId === "@emb/matrix-tests#test");
  expect(own?.environmentVariables.passthrough?.some((entry) => entry.startsWith("EMBEDDINGS_PROFILE="))).toBe(true);
});
