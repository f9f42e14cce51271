import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { isEmbError } from "@emb/manifest";
import { afterEach, beforeEach, expect, it } from "vitest";
import { copyDatabase, distUrl, workerUrl } from "../test/database-copy.js";
import { createEmbeddedDriver } from "./embedded-driver.js";
import { openEmbeddedStore } from "./embedded-store.js";
import { batchOf, chunksOf, openSample, startFilling } from "./testing/sealed-sample.js";

/** Writes one document of 20 chunks after the other until it is killed; says each one when it is committed. */
const WRITER = `
  import { openEmbeddedStore } from ${JSON.stringify(distUrl)};
  const [dataDir, input] = process.argv.slice(1);
  const { address, seal, runId, version, ids } = JSON.parse(input, (key, value) => (key === "version" ? BigInt(value) : value));
  const store = await openEmbeddedStore({ dataDir });
  const writer = await store.namespaces.openWriter(address, seal);
  const lease = await store.runs.claimShard(runId, { owner: "writer", leaseMs: 600000 });
  const counters = { documents: 1, chunks: 20, embedded: 20, skipped: 0, failed: 0, tokens: 1 };
  for (const documentId of ids) {
    const chunks = Array.from({ length: 20 }, (_, ordinal) => ({
      documentId, ordinal, contentHash: new Uint8Array(32).fill(ordinal), text: "x".repeat(3000), headingPath: "", vector: new Float32Array([1, 2, 3, 4]),
    }));
    await writer.writeBatch({ lease, documents: [{ documentId, version, chunks }], cursor: documentId, counters, failures: [] });
    await store.audit.append({ action: "check", actor: "writer", detail: { documentId } });
    process.stdout.write(documentId + "\\n");
  }`;
const OPENER = `
  import { openEmbeddedStore } from ${JSON.stringify(distUrl)};
  process.stdout.write("opening\\n");
  await (await openEmbeddedStore({ dataDir: process.argv[1] })).close();`;

let dataDir: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  dataDir = await copyDatabase();
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await rm(dataDir, { recursive: true });
});

const start = (program: string, ...args: string[]): ChildProcess => {
  child = spawn(process.execPath, ["--input-type=module", "-e", program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return child;
};
const aliveFor = async (process: ChildProcess, ms: number): Promise<void> => {
  await sleep(ms);
  if (process.exitCode !== null) throw new Error("the process ended before it was killed");
};
const kill = async (process: ChildProcess): Promise<void> => {
  const gone = once(process, "exit");
  process.kill("SIGKILL");
  await gone;
};

it("a kill -9 in the middle of writing loses and doubles nothing that was committed", async () => {
  const ids = Array.from({ length: 400 }, (_, i) => `doc-${String(i).padStart(3, "0")}`);
  let store = await openEmbeddedStore({ dataDir, workerUrl });
  const filling = await startFilling(store, ids);
  await store.close();
  const { address, seal, runId, version } = filling;
  const input = JSON.stringify({ address, seal, runId, version, ids }, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );

  const writing = start(WRITER, dataDir, input);
  let said = "";
  writing.stdout!.on("data", (text: Buffer) => void (said += String(text)));
  while (said.split("\n").length < 12) await aliveFor(writing, 5);
  await sleep(Math.random() * 30);
  await kill(writing);
  const committed = said.split("\n").filter((line) => line !== "");
  expect(committed.length).toBeLessThan(ids.length);

  store = await openEmbeddedStore({ dataDir, workerUrl });
  const reader = await openSample(store, filling);
  const { documents, chunks } = await reader.count();
  expect(documents).toBeGreaterThanOrEqual(committed.length);
  expect(chunks).toBe(20 * documents);
  const run = await store.runs.get(filling.runId);
  expect(run?.counters.chunks).toBe(chunks);
  const writer = await store.namespaces.openWriter(filling.address, filling.seal);
  const page = { base: filling.base, after: null, through: null, limit: ids.length, committedIn: filling.record.id };
  expect((await store.documents.read(page)).map(({ id }) => id)).toEqual(ids.slice(0, documents));
  expect((await writer.readPending({ after: null, through: null, limit: 1, maxBytes: 1 }))[0]?.id).toBe(ids[documents]);
  expect((await store.audit.verify()).ok).toBe(true);

  // opening it was the proof that the holder is dead
  const resumed = await store.runs.claimShard(filling.runId, { owner: "next", leaseMs: 60_000 });
  expect(resumed?.cursor).toBe(ids[documents - 1]);
  await writer.writeBatch({
    ...batchOf(
      filling,
      ids.slice(documents).map((id) => chunksOf(id, filling.version)),
    ),
    lease: resumed!,
  });
  expect(await reader.lag()).toBe(0);
  await store.close();
});

it("a kill -9 while a new database is made leaves a directory that opens", async () => {
  const fresh = join(dataDir, "fresh");
  const opening = start(OPENER, fresh);
  await once(opening.stdout!, "data");
  const names = () => readdir(fresh).catch((): string[] => []);
  while (!(await names()).includes("postgres")) await aliveFor(opening, 5);
  await aliveFor(opening, 200);
  await kill(opening);
  expect(await readdir(fresh)).toContain("postgres.unfinished");
  const store = await openEmbeddedStore({ dataDir: fresh, workerUrl });
  expect(await store.namespaces.list()).toEqual([]);
  await store.close();
  expect((await readdir(fresh)).toSorted()).toEqual(["postgres"]);
}, 180_000);

it("what was stored is there after closing, and a second opener is refused until then", async () => {
  const store = await openEmbeddedStore({ dataDir, workerUrl });
  const filling = await startFilling(store, ["a"]);
  await filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)]));
  await expect(openEmbeddedStore({ dataDir, workerUrl })).rejects.toMatchObject({
    code: "EMB_STORE_LOCKED",
    context: { pid: process.pid },
  });
  await Promise.all([store.close(), store.close()]);
  await expect(store.documents.nextVersion()).rejects.toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
  const again = await openEmbeddedStore({ dataDir, workerUrl });
  expect(await again.namespaces.find(filling.address)).toEqual(filling.record);
  expect(await (await openSample(again, filling)).count()).toEqual({ documents: 1, chunks: 1 });
  await again.close();
});

it("closing finishes what is running", async () => {
  const store = await openEmbeddedStore({ dataDir, workerUrl });
  const appended = Array.from({ length: 5 }, (_, i) =>
    store.audit.append({ action: "check", actor: "test", detail: { i } }),
  );
  await store.close();
  expect((await Promise.all(appended)).at(-1)?.rows).toBe(5);
});

it("a directory that cannot be made is unavailable", async () => {
  const file = join(dataDir, "file");
  await writeFile(file, "");
  await expect(openEmbeddedStore({ dataDir: join(file, "data"), workerUrl })).rejects.toMatchObject({
    code: "EMB_STORE_UNAVAILABLE",
  });
});

it("a damaged database is unavailable and the lock is given back", async () => {
  await rm(join(dataDir, "postgres", "global"), { recursive: true });
  for (let time = 0; time < 2; time++) {
    await expect(openEmbeddedStore({ dataDir, workerUrl })).rejects.toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
  }
});

it("a missing package is named", async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), "emb-worker-"));
  await copyFile(workerUrl, join(elsewhere, "embedded-worker.mjs"));
  const error = await createEmbeddedDriver({
    directory: join(dataDir, "postgres"),
    workerUrl: pathToFileURL(join(elsewhere, "embedded-worker.mjs")),
  }).catch((caught: unknown) => caught);
  expect(isEmbError(error, "EMB_STORE_UNAVAILABLE") && error.hint).toBe("Install @electric-sql/pglite.");
  await rm(elsewhere, { recursive: true });
});

it("a thread that crashes rejects what is waiting and all that comes after", async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), "emb-worker-"));
  const crashing = join(elsewhere, "worker.mjs");
  await writeFile(
    crashing,
    `import { parentPort } from "node:worker_threads";
     parentPort.on("message", ({ id, kind }) => {
       if (kind === "exec") setImmediate(() => { throw new Error("crash"); });
       else if (kind === "open") parentPort.postMessage({ id, kind: "done", rows: [], affected: 0 });
     });`,
  );
  const driver = await createEmbeddedDriver({ directory: dataDir, workerUrl: pathToFileURL(crashing) });
  // the one session runs them in order: the transaction's BEGIN is what crashes it
  const calls = [driver.transaction((tx) => tx.query("SELECT 1")), driver.query("SELECT 1"), driver.exec("SELECT 1")];
  for (const result of await Promise.allSettled(calls)) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "EMB_STORE_UNAVAILABLE" } });
  }
  await expect(driver.exec("SELECT 1")).rejects.toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
  await driver.close();
  await rm(elsewhere, { recursive: true });
});

it.runIf(process.platform === "linux")("a parent that takes no folders is unavailable, not waited for", async () => {
  await expect(openEmbeddedStore({ dataDir: "/proc/nope/deeper", workerUrl })).rejects.toMatchObject({
    code: "EMB_STORE_UNAVAILABLE",
  });
});
