import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseManifest } from "@emb/manifest";

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

  const source = example
    .replace('"@emb/providers"', JSON.stringify(new URL("./index.ts", import.meta.url).pathname))
    .replace('".emb"', JSON.stringify(dataDir))
    .replaceAll("console.log(", "printed.push([")
    .replaceAll("); // ", "]); // ");
  const head = `export const printed: unknown[][] = [];\nconst profile = ${JSON.stringify(profile)};\n`;
  const file = join(dataDir, "example.ts");
  await writeFile(file, head + source);
  const { printed }: { printed: unknown[][] } = await import(file);
  expect(expected).toHaveLength(2);
  expect(printed.map((values) => values.join(" "))).toEqual(expected);
});
