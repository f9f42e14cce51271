import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { loadSettings } from "@emb/config";
import { createProvider } from "@emb/providers";
import { miniLmProfileYaml } from "@emb/providers/testing";
import { openEmbeddedStore } from "@emb/store";
import { fill } from "./fill-namespace.fixture.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A project folder whose namespace docs_one is filled with TEXTS and ready; tests copy it. */
    servedFolder: string;
  }
}

const MANIFEST = `profiles:\n${["one", "two"].map((name) => miniLmProfileYaml({ name })).join("")}`;

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const dir = await mkdtemp(join(tmpdir(), "emb-query-template-"));
  await mkdir(join(dir, "config"));
  await writeFile(join(dir, "config/embedding_profiles.yaml"), MANIFEST);
  await writeFile(
    join(dir, "config/production.yaml"),
    "embedding: { profile: one }\nquery: { port: 0, max_top_k: 5, top_k: 2 }\n",
  );
  const settings = loadSettings({ env: { ENV: "production" }, cwd: dir });
  const profile = settings.manifest.profiles.get("one")!;
  const provider = await createProvider(profile, { env: {}, dataDir: settings.paths.dataDir });
  const store = await openEmbeddedStore({ dataDir: settings.paths.dataDir });
  try {
    await fill(settings, profile, provider, store);
  } finally {
    await store.close();
    await provider.close();
  }
  provide("servedFolder", dir);
  return () => rm(dir, { recursive: true });
};
