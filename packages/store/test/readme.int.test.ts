import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { copyDatabase } from "./database-copy.js";

it("the README's example runs and prints what it says", async () => {
  const root = new URL("../", import.meta.url);
  const readme = await readFile(new URL("README.md", root), "utf8");
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const dataDir = await copyDatabase();
  const program = example.replace('".emb"', JSON.stringify(dataDir));
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { cwd: root });
  expect(stdout).toBe("tides.md 1.000\n");
  await rm(dataDir, { recursive: true });
});
