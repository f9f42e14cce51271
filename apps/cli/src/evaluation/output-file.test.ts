import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outputFile } from "./output-file.js";

describe("a file that is to be written", () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), "emb-output-file-"));
    await mkdir(join(cwd, "out"));
    await mkdir(join(cwd, "closed"));
    await writeFile(join(cwd, "old.html"), "");
    await chmod(join(cwd, "closed"), 0o500);
  });
  afterAll(() => rm(cwd, { recursive: true }));
  const ask = (path: string | undefined) => outputFile(cwd, "--report", path, "report.html");

  it("may be new, may be there, and may be left out", async () => {
    expect([await ask("out/new.html"), await ask("./old.html"), await ask(undefined)]).toEqual([
      join(cwd, "out/new.html"),
      join(cwd, "old.html"),
      null,
    ]);
  });

  it.each([
    ["out", 'got the folder "out"', "Name a file in it: --report out/report.html"],
    ["new/", 'got the folder "new/"', "Name a file in it: --report new/report.html"],
    ["", 'got the folder ""', "Name a file in it: --report report.html"],
    ["no/where/a.html", 'got "no/where/a.html", and there is no folder "no/where"', "Make it: mkdir -p no/where"],
    [
      "old.html/a.html",
      'got "old.html/a.html", and there is no folder "old.html"',
      "Name another: --report report.html",
    ],
  ])("%j is refused", async (path, got, hint) => {
    await expect(ask(path)).rejects.toMatchObject({
      code: "EMB_USAGE",
      message: `--report: expected a file that can be written, ${got}`,
      hint,
    });
  });

  const skip = process.getuid?.() === 0 ? " (skipped: root may write everywhere)" : "";
  it.skipIf(skip !== "")(`one that may not be written is refused${skip}`, async () => {
    await expect(ask("closed/a.html")).rejects.toMatchObject({
      message: '--report: expected a file that can be written, got "closed/a.html", which may not be',
    });
  });
});
