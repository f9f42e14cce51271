import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Problem } from "@emb/manifest";
import { afterAll, describe, expect, it } from "vitest";
import { exampleFiles } from "./config-files-example.js";
import { diskFiles, findConfigFolder, missingEnvironmentFile, readText } from "./config-folder.js";

const root = mkdtempSync(join(tmpdir(), "emb-config-"));
afterAll(() => rmSync(root, { recursive: true }));

const missing = (): Problem => ({ code: "EMB_CONFIG_FILE_MISSING", message: "missing", hint: "write it" });

describe("the disk", () => {
  it("gives bytes, names, and null for what is not there", () => {
    mkdirSync(join(root, "config"));
    writeFileSync(join(root, "config/a.yaml"), "é");
    expect(diskFiles.read(join(root, "config/a.yaml"))).toEqual(Buffer.from("é"));
    expect(diskFiles.list(join(root, "config"))).toEqual(["a.yaml"]);
    expect([
      diskFiles.read(join(root, "b")),
      diskFiles.list(join(root, "b")),
      diskFiles.list(join(root, "config/a.yaml")),
    ]).toEqual([null, null, null]);
  });

  it("reports a folder where a file should be", () => {
    const problems: Problem[] = [];
    expect(readText(diskFiles, root, missing, problems)).toBe(null);
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ["EMB_CONFIG_FILE_UNREADABLE", "the file cannot be read (EISDIR)"],
    ]);
  });
});

it("says where it looked for a config folder", () => {
  const problems: Problem[] = [];
  expect(findConfigFolder(exampleFiles({}), "/srv/app", undefined, problems)).toBe(null);
  expect(problems.map(({ message }) => message)).toEqual([
    "no folder config/ with embedding_profiles.yaml at or above /srv/app",
  ]);
});

it.each([
  ["prod", ["production.yaml", "test.yaml"], "Did you mean ENV=production?"],
  ["production", ["Production.yaml"], "Rename Production.yaml to production.yaml: file names are lower case."],
  [
    "eu",
    ["production.yaml", "test.yaml", "embedding_profiles.yaml"],
    "Write the file, or set ENV to one of: production, test.",
  ],
])("suggests for %s among %j", (environment, names, hint) => {
  const files = exampleFiles(Object.fromEntries(names.map((name) => [`/c/${name}`, ""])));
  expect(missingEnvironmentFile(files, "/c", environment).hint).toBe(hint);
});
