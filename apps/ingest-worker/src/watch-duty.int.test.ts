import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadSettings } from "@emb/config";
import { createServiceLog, openStore, startTelemetry } from "@emb/query";
import type { Store } from "@emb/store";
import type { WorkerContext } from "./duty.js";
import { createWatchDuty } from "./watch-duty.js";

const SERVER = process.env["TEST_DATABASE_URL"]?.trim() ?? "";
const skip = SERVER === "" ? " (skipped: TEST_DATABASE_URL is not set)" : "";
const table = `articles_${randomBytes(6).toString("hex")}`;

let dir: string;
let store: Store;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "emb-watch-"));
  await mkdir(join(dir, "config"));
  await mkdir(join(dir, "docs/deep"), { recursive: true });
  const shipped = join(import.meta.dirname, "../../../config/embedding_profiles.yaml");
  const profile = "embedding: { profile: st_minilm }\ningest:\n  watch:\n";
  await writeFile(
    join(dir, "config/test.yaml"),
    `${profile}    - { source: ../gone, base: other }\n    - { source: ../docs, poll_ms: 3600000 }\n`,
  );
  await writeFile(
    join(dir, "config/development.yaml"),
    `${profile}    - { source: "${SERVER}", table: ${table}, base: shop, poll_ms: 1000 }\n`,
  );
  env = {
    ENV: "test",
    EMB_CONFIG_DIR: join(dir, "config"),
    EMBEDDING_PROFILES_PATH: shipped,
    EMB_DATA_DIR: join(dir, "data"),
  };
  store = await openStore(loadSettings({ env, cwd: dir }));
}, 60_000);
afterAll(async () => {
  await store.close();
  await rm(dir, { recursive: true });
});
let env: Record<string, string>;

const write = (name: string, text: string) => writeFile(join(dir, "docs", name), text);
const stored = async () =>
  (await store.documents.read({ base: "docs", after: null, through: null, limit: 100 })).map(({ id, text }) => [
    id,
    text,
  ]);

/** A duty of a worker that has just started, and the wake-ups it asked for. */
async function start(environment: "test" | "dev", nowMs = () => performance.now()) {
  const stop = new AbortController();
  const lines: string[] = [];
  let rung = () => {};
  const wakeUp = { next: new Promise<void>((resolve) => (rung = resolve)) };
  const log = await createServiceLog({ write: (text) => lines.push(text), env });
  const context: WorkerContext = {
    settings: loadSettings({ env: { ...env, ENV: environment }, cwd: dir }),
    env,
    store,
    instance: "one",
    stopping: stop.signal,
    signal: stop.signal,
    nowMs,
    log,
    telemetry: await startTelemetry({ env, serviceName: "test", environment: "test", log }),
    models: { use: () => Promise.reject(new Error("a watch needs no model")), close: async () => {} },
    onProgress: () => {},
    wake: () => {
      rung();
      wakeUp.next = new Promise<void>((resolve) => (rung = resolve));
    },
  };
  const duty = createWatchDuty(context);
  if (environment === "test") await expect(duty.step()).rejects.toMatchObject({ code: "EMB_SOURCE_MISSING" }); // the others go on
  expect(await duty.step()).toBe(true);
  expect(await duty.step()).toBe(false);
  const events = () => lines.map((line): unknown => JSON.parse(line));
  return { duty, wakeUp, events, end: () => stop.abort() };
}

describe("a watched folder", { timeout: 120_000 }, () => {
  it("is read whole at the start, and again when something in it changed, was added or removed", async () => {
    await write("a.txt", "The ferry leaves at six.");
    await write("deep/b.txt", "The museum opens at nine.");
    const worker = await start("test");
    expect(await stored()).toEqual([
      ["a.txt", "The ferry leaves at six."],
      ["deep/b.txt", "The museum opens at nine."],
    ]);

    const told = worker.wakeUp.next;
    await write("a.txt", "The ferry leaves at seven.");
    await write("c.txt", "The baker closes at noon.");
    await rm(join(dir, "docs/deep/b.txt"));
    await told;
    while (await worker.duty.step());
    expect(await stored()).toEqual([
      ["a.txt", "The ferry leaves at seven."],
      ["c.txt", "The baker closes at noon."],
    ]);
    expect(worker.events()).toContainEqual(
      expect.objectContaining({ event: "watch.read", created: 1, changed: 1, removed: 1, set_aside: 0 }),
    );
    worker.end();
  });

  it("has its turn beside one that fails, or takes longer than its poll_ms, whenever it is looked at", async () => {
    let nowMs = 0;
    const worker = await start("test", () => nowMs);
    nowMs = 2 * 3_600_000; // both are due, the one that is gone first
    await expect(worker.duty.step()).rejects.toMatchObject({ code: "EMB_SOURCE_MISSING" });
    nowMs = 4 * 3_600_000; // it is due again
    expect(await worker.duty.step()).toBe(true);
    worker.end();
  });

  it("shows the next worker what happened while none ran, and what it cannot take", async () => {
    await write("c.txt", "The baker closes at one.");
    await writeFile(join(dir, "docs/torn.txt"), Buffer.from([0xff, 0xfe, 0x00]));
    const worker = await start("test");
    expect(await stored()).toContainEqual(["c.txt", "The baker closes at one."]);
    expect(worker.events()).toContainEqual(
      expect.objectContaining({ event: "watch.set_aside", document_id: "torn.txt", code: "EMB_DOCUMENT_INVALID" }),
    );
    worker.end();
  });
});

describe.skipIf(skip !== "")(`a watched table${skip}`, { timeout: 120_000 }, () => {
  it("is asked for what changed, and now and then read whole for what is gone", async () => {
    const client = new Client({ connectionString: SERVER });
    await client.connect();
    try {
      await client.query(
        `CREATE TABLE ${table} (id integer PRIMARY KEY, text text, updated_at timestamptz DEFAULT now())`,
      );
      await client.query(`INSERT INTO ${table} VALUES (1, 'one'), (2, 'two'), (3, 'three')`);
      const rows = async () =>
        (await store.documents.read({ base: "shop", after: null, through: null, limit: 10 })).map(({ text }) => text);
      let nowMs = 0;
      const worker = await start("dev", () => nowMs);
      expect(await rows()).toEqual(["one", "two", "three"]);
      await client.query(`UPDATE ${table} SET text = 'ONE', updated_at = now() WHERE id = 1`);
      await client.query(`UPDATE ${table} SET text = 'TWO', updated_at = now() - interval '1 day' WHERE id = 2`);
      await client.query(`DELETE FROM ${table} WHERE id = 3`);
      expect(await worker.duty.step()).toBe(false);
      nowMs = 1_000;
      expect(await worker.duty.step()).toBe(true);
      expect(await rows()).toEqual(["ONE", "two", "three"]); // what says that it changed
      nowMs = 3_600_000;
      while (await worker.duty.step());
      expect(await rows()).toEqual(["ONE", "TWO"]);
      worker.end();
    } finally {
      await client.query(`DROP TABLE IF EXISTS ${table}`);
      await client.end();
    }
  });
});
