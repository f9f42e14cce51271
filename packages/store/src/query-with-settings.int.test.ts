import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCopy } from "../test/database-copy.js";
import { openServerSchema, serverSkip } from "../test/server-schema.js";
import type { SqlDriver } from "./sql-driver.js";
import { vectorBinary, vectorText } from "./vector-bytes.js";

const WAYS = [
  { name: "embedded", skip: "", open: () => openCopy() },
  { name: `server${serverSkip}`, skip: serverSkip, open: openServerSchema },
] as const;

describe.each(WAYS)("a statement with settings of its own, $name", ({ name, skip, open }) => {
  let opened: { driver: SqlDriver; close: () => Promise<void> };
  beforeAll(async () => {
    if (skip === "") opened = await open();
  });
  afterAll(() => opened?.close());

  const settings = { work_mem: "1234kB", "search.words": "a 'quoted' word" };
  const show =
    "SELECT current_setting('work_mem') AS memory, current_setting('search.words', true) AS words, $1::integer + 1 AS next";

  it.skipIf(skip !== "")("sees them, and no other statement does", async () => {
    const { driver } = opened;
    const bare = { memory: "4MB", next: 2 };
    const answers = await Promise.all([
      driver.query(show, [1]),
      driver.queryWith(settings, show, [1]),
      driver.queryWith({ work_mem: "99kB" }, show, [2]),
      driver.query(show, [1]),
    ]);
    expect(answers.map(({ rows }) => rows[0])).toEqual([
      expect.objectContaining(bare),
      { memory: "1234kB", words: "a 'quoted' word", next: 2 },
      expect.objectContaining({ memory: "99kB", next: 3 }),
      expect.objectContaining(bare),
    ]);
    for (let again = 0; again < 12; again++) expect((await driver.query(show, [1])).rows[0]).toMatchObject(bare);
  });

  it.skipIf(skip !== "")("gives rows as other statements do", async () => {
    const { driver } = opened;
    const columns = `SELECT 1::bigint AS big, '\\x00ff'::bytea AS bytes, 1.5::float8 AS number, true AS yes, NULL::text AS nothing, '2026-01-02T03:04:05Z'::timestamptz AS at`;
    const { rows } = await driver.queryWith(settings, `${columns} FROM generate_series(1, 3)`, []);
    expect(rows).toHaveLength(3);
    expect(rows).toEqual((await driver.query(`${columns} FROM generate_series(1, 3)`)).rows);
    expect(await driver.queryWith(settings, "SELECT WHERE false", [])).toMatchObject({ rows: [] });
  });

  it.skipIf(skip !== "")("fails with the code of its error, and the session goes on without the settings", async () => {
    const { driver } = opened;
    const refused = (sql: string, with_: Readonly<Record<string, string>>) =>
      driver.queryWith(with_, sql, []).then(
        () => "answered",
        (error: unknown) => error,
      );
    expect(await refused("SELECT 1 / 0", settings)).toMatchObject({ context: { sqlState: "22012" } });
    expect(await refused("SELECT FROM no_such_table", settings)).toMatchObject({ context: { sqlState: "42P01" } });
    expect(await refused("SELECT 1", { work_mem: "none" })).toMatchObject({ context: { sqlState: "22023" } });
    for (let again = 0; again < 12; again++)
      expect((await driver.query(show, [1])).rows[0]).toMatchObject({ memory: "4MB" });
  });

  it.skipIf(skip !== "")("takes a vector as its capabilities say, and it is the same one", async () => {
    const { driver } = opened;
    for (const storage of ["vector", "halfvec"] as const) {
      const shape = { dims: 3, storage, similarity: "cosine" } as const;
      const vector = new Float32Array([0.1, -1 / 3, 65_504]);
      const given = driver.capabilities.binaryValues ? vectorBinary(shape, vector) : vectorText(vector);
      const sql = `SELECT ($1::${storage}(3))::text AS seen, ($1::${storage}(3) = '${vectorText(vector)}'::${storage}(3)) AS same`;
      const { rows } = await driver.queryWith(settings, sql, [given]);
      expect(rows).toEqual([{ seen: expect.stringContaining("65504"), same: true }]);
      expect((await driver.query(sql, [given])).rows).toEqual(rows);
    }
  });

  if (name === "embedded") return; // nobody else can end its session
  it.skipIf(skip !== "")("says that the store is away when its session is ended", async () => {
    const { driver } = opened;
    const lost = driver.queryWith({}, "SELECT pg_sleep(20), 'ended in the middle'", []).then(
      () => "answered",
      (error: unknown) => error,
    );
    const end = `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
      WHERE query LIKE '%ended in the middle%' AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()`;
    await expect.poll(async () => (await driver.query(end)).rows, { timeout: 5_000 }).toEqual([{ ended: true }]);
    expect(await lost).toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
    expect((await driver.queryWith(settings, show, [1])).rows[0]).toMatchObject({ memory: "1234kB" });
  });
});
