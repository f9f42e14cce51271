import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { SETTING_VARIABLES } from "@emb/config";
import { PROVIDER_IDS, providerVariables } from "@emb/manifest";
import { ROOT } from "./checkout.js";

const Turbo = z.object({
  tasks: z.object({ test: z.object({ cache: z.boolean(), passThroughEnv: z.array(z.string()) }) }),
});
const { test } = Turbo.parse(JSON.parse(readFileSync(join(ROOT, "turbo.json"), "utf8"))).tasks;

const ofProviders = PROVIDER_IDS.flatMap((id) => Object.values(providerVariables(id)));

it("never takes a test's result from a cache", () => expect(test.cache).toBe(false));

it("passes every setting, and every variable of a provider, through to test tasks by name", () => {
  const missing = [...SETTING_VARIABLES, ...ofProviders].filter((name) => !test.passThroughEnv.includes(name));
  expect(missing).toEqual([]);
});

describe("a task inside turbo", () => {
  /** A workspace of one package whose test task writes down the environment it got, under this repository's own rule for test tasks. */
  let dir: string;
  const write = (path: string, content: unknown) => writeFileSync(join(dir, path), JSON.stringify(content));
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "emb-turbo-"));
    // npm, because it is there wherever Node is; what turbo lets through does not depend on who starts the script
    write("package.json", { name: "seen", packageManager: "npm@10.0.0", scripts: { test: "node seen.cjs" } });
    write("turbo.json", { tasks: { test } });
    writeFileSync(
      join(dir, "seen.cjs"),
      'require("node:fs").writeFileSync("seen.json", JSON.stringify(process.env));\n',
    );
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it("gets every variable that emb reads, and none that is not declared", { timeout: 60_000 }, () => {
    const names = [...SETTING_VARIABLES, ...ofProviders];
    const { PATH = "", HOME = "" } = process.env;
    const ended = spawnSync(join(ROOT, "node_modules/.bin/turbo"), ["run", "test"], {
      cwd: dir,
      encoding: "utf8",
      env: {
        PATH,
        HOME,
        TURBO_TELEMETRY_DISABLED: "1",
        NOBODY_DECLARED: "hidden",
        ...Object.fromEntries(names.map((name) => [name, `arrived ${name}`])),
      },
    });
    expect(ended.status, `${ended.stdout}${ended.stderr}`).toBe(0);
    const seen = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(join(dir, "seen.json"), "utf8")));
    expect(names.filter((name) => seen[name] !== `arrived ${name}`)).toEqual([]);
    expect(seen["NOBODY_DECLARED"]).toBeUndefined();
  });
});
