import { mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { lockDirectory, storeError, type DirectoryLock } from "./directory-lock.js";
import { createEmbeddedDriver } from "./embedded-driver.js";
import { openPostgresStore } from "./postgres-store.js";
import type { Store } from "./store.js";

export interface EmbeddedStoreOptions {
  /** EMB_DATA_DIR; made when it is not there. The database is in its subfolder `postgres`. */
  readonly dataDir: string;
  /** @defaultValue "emb" */
  readonly schema?: string;
  /** Where the built `embedded-worker.js` is. @defaultValue beside the module that holds this function */
  readonly workerUrl?: URL;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Opens the embedded database and holds its directory until `close`. The first opening takes 3-8 s, later ones less than 1 s.
 * @throws EmbError EMB_STORE_LOCKED, EMB_STORE_UNAVAILABLE, EMB_STORE_FULL, EMB_STORE_SCHEMA_NEWER
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const dataDir = await prepareDirectory(options.dataDir);
  const lock = await lockDirectory(dataDir);
  try {
    const store = await openLocked(dataDir, options);
    let closing: Promise<void> | null = null;
    return { ...store, close: () => (closing ??= closeBoth(store, lock)) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function closeBoth(store: Store, lock: DirectoryLock): Promise<void> {
  try {
    await store.close();
  } finally {
    await lock.release();
  }
}

/** Not with mkdir's `recursive`, which never ends where the parent is there and takes no folders, as in /proc. Seen in Node 20.20. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

async function prepareDirectory(dataDir: string): Promise<string> {
  try {
    await makeFolder(resolve(dataDir));
    return await realpath(dataDir);
  } catch (error) {
    throw storeError(dataDir, error);
  }
}

/** A process that dies while it makes a new database leaves half of one. The mark is there only in that time, so a whole one is never removed. */
async function openLocked(dataDir: string, { schema, workerUrl }: EmbeddedStoreOptions): Promise<Store> {
  const directory = join(dataDir, "postgres");
  const mark = join(dataDir, "postgres.unfinished");
  try {
    if (await exists(mark)) await rm(directory, { recursive: true, force: true });
    if (!(await exists(directory))) await writeFile(mark, "");
  } catch (error) {
    throw storeError(dataDir, error);
  }
  const driver = await createEmbeddedDriver({ directory, ...(workerUrl === undefined ? {} : { workerUrl }) });
  try {
    const store = await openPostgresStore(driver, schema === undefined ? {} : { schema });
    await rm(mark, { force: true });
    return store;
  } catch (error) {
    await driver.close();
    throw error;
  }
}
