import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { openEmbeddedStore } from "./embedded-store.js";
import type { Store } from "./store.js";
import { storeContract } from "./testing/index.js";

const workerUrl = new URL("../dist/embedded-worker.js", import.meta.url);

describe("the embedded store keeps the promises of the port", () => {
  let dataDir: string;
  let store: Store;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "emb-contract-"));
    store = await openEmbeddedStore({ dataDir, workerUrl });
  }, 120_000);
  afterAll(async () => {
    await store.close();
    await rm(dataDir, { recursive: true });
  });
  for (const [promise, check] of Object.entries(storeContract)) it(promise, () => check(store), 30_000);
});
