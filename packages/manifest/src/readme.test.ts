import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

/** Runs the README's example against the sources; every console.log line ends in a comment with what it prints. */
it("README: the example prints what its comments say", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const expected = [...example.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
  const folder = mkdtempSync(join(tmpdir(), "emb-readme-"));
  try {
    const source = example
      .replaceAll('"@emb/manifest"', JSON.stringify(new URL("./index.ts", import.meta.url).pathname))
      .replaceAll("console.log(", "printed.push(");
    writeFileSync(join(folder, "example.ts"), `export const printed: unknown[] = [];\n${source}`);
    const { printed }: { printed: unknown[] } = await import(join(folder, "example.ts"));
    expect(printed.map(String)).toEqual(expected);
    expect(printed.length).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
