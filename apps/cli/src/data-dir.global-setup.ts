import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestProject } from "vitest/node";
import { FILLED_DOCUMENTS, MANIFEST, runEmb } from "./command.fixture.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A data folder with a new database and the model's file: making them costs seconds, copying them does not. */
    dataDirTemplate: string;
    /** The same with FILLED_DOCUMENTS in a ready namespace of each profile. */
    filledDataDirTemplate: string;
  }
}

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const dir = await mkdtemp(join(tmpdir(), "emb-cli-template-"));
  const files = {
    "config/embedding_profiles.yaml": MANIFEST,
    "config/production.yaml": "embedding: { profile: one }\n",
    ...FILLED_DOCUMENTS,
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  const emb = async (...args: string[]) => {
    const env = { ENV: "production", EMBEDDING_PROFILE_EXPERIMENT: "two" };
    const { code, stderr } = await runEmb(args, { cwd: dir, env });
    if (code !== 0) throw new Error(`emb ${args.join(" ")} ended with ${code}: ${stderr}`);
  };
  await emb("status");
  await cp(join(dir, ".emb/postgres"), join(dir, "new/postgres"), { recursive: true });
  for (const profile of ["one", "two"]) await emb("reingest", "--to", profile, "--source", "docs", "--yes");
  await cp(join(dir, ".emb/models"), join(dir, "new/models"), { recursive: true });
  provide("dataDirTemplate", join(dir, "new"));
  provide("filledDataDirTemplate", join(dir, ".emb"));
  return () => rm(dir, { recursive: true });
};
