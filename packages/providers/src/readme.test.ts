import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseManifest } from "@emb/manifest";
import * as providers from "./index.js";

const read = (path: string) => readFile(new URL(path, import.meta.url), "utf8");

let dataDir = "";
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "emb-readme-"));
});
afterAll(() => rm(dataDir, { recursive: true }));

it("the example prints what its comments say", { timeout: 60_000 }, async () => {
  const example = /```ts\n(.*?)```/s.exec(await read("../README.md"))?.[1] ?? "";
  const expected = [...example.matchAll(/console\.log\(.*\/\/ (.*)/g)].map(([, comment]) => comment);
  const reading = parseManifest(await read("../../../config/embedding_profiles.yaml"), { file: "manifest" });
  const profile = reading.ok ? reading.manifest.profiles.get("st_minilm") : undefined;

  const printed: string[] = [];
  const console = { log: (...values: unknown[]) => printed.push(values.join(" ")) };
  const body = example
    .replace(/^import (\{.*\}) from "@emb\/providers";$/m, "const $1 = providers;")
    .replace('dataDir: ".emb"', "dataDir");
  const run = new Function("providers", "profile", "dataDir", "console", `return (async () => {${body}})();`);
  await run(providers, profile, dataDir, console);
  expect(expected).toHaveLength(2);
  expect(printed).toEqual(expected);
});
