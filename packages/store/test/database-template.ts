import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openEmbeddedStore } from "../src/embedded-store.js";

declare module "vitest" {
  interface ProvidedContext {
    databaseTemplate: string;
  }
}

/** The first opening of a directory takes seconds: made once, copied by every test file. */
export default async function makeTemplate(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), "emb-template-"));
  const store = await openEmbeddedStore({ dataDir, workerUrl: new URL("../dist/embedded-worker.js", import.meta.url) });
  await store.close();
  project.provide("databaseTemplate", dataDir);
  return () => rm(dataDir, { recursive: true });
}
