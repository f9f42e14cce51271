import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { createEmbeddedDriver } from "../src/embedded-driver.js";
import { openPostgresStore } from "../src/postgres-store.js";
import type { SqlCapabilities, SqlDriver } from "../src/sql-driver.js";
import type { Store } from "../src/store.js";

export const workerUrl = new URL("../dist/embedded-worker.js", import.meta.url);
export const distUrl = new URL("../dist/index.js", import.meta.url).href;

/** A data directory with a migrated, empty database. */
export async function copyDatabase(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "emb-store-"));
  await cp(inject("databaseTemplate"), dataDir, { recursive: true });
  return dataDir;
}

export interface OpenedCopy {
  readonly driver: SqlDriver;
  readonly store: Store;
  close(): Promise<void>;
}

/** A store and the driver under it, for what the port does not show. */
export async function openCopy(capabilities: Partial<SqlCapabilities> = {}): Promise<OpenedCopy> {
  const dataDir = await copyDatabase();
  const embedded = await createEmbeddedDriver({ directory: join(dataDir, "postgres"), workerUrl });
  const driver: SqlDriver = { ...embedded, capabilities: { ...embedded.capabilities, ...capabilities } };
  const close = async () => {
    await driver.close();
    await rm(dataDir, { recursive: true });
  };
  return { driver, store: await openPostgresStore(driver), close };
}
