import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createProvider } from "@emb/providers";
import { createEmbeddedDriver, openPostgresStore } from "@emb/store";
import { smallWorldProfile } from "./small-world-manifest.fixture.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A data folder with a migrated, empty database and the model's file: making them takes seconds, copying them does not. */
    smallWorldTemplate: string;
  }
}

export default async function makeTemplate(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), "emb-ingest-template-"));
  const store = await openPostgresStore(await createEmbeddedDriver({ directory: join(dataDir, "postgres") }));
  await store.close();
  const provider = await createProvider(smallWorldProfile("one", "template"), { env: {}, dataDir });
  await provider.close();
  project.provide("smallWorldTemplate", dataDir);
  return () => rm(dataDir, { recursive: true });
}
