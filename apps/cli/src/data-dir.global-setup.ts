import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { MANIFEST, runEmb } from "./command.fixture.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A data folder with a new database and the model's file: making them costs seconds, copying them does not. */
    dataDirTemplate: string;
  }
}

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const dir = await mkdtemp(join(tmpdir(), "emb-cli-template-"));
  await mkdir(join(dir, "config"));
  await writeFile(join(dir, "config", "embedding_profiles.yaml"), MANIFEST);
  await writeFile(join(dir, "config", "development.yaml"), "embedding: { profile: one }\n");
  for (const args of [["status"], ["manifest", "compat", "one", "two", "--prove"]]) {
    const { code, stderr } = await runEmb(args, { cwd: dir, env: {} });
    if (code !== 0) throw new Error(`emb ${args.join(" ")} ended with ${code}: ${stderr}`);
  }
  provide("dataDirTemplate", join(dir, ".emb"));
  return () => rm(dir, { recursive: true });
};
