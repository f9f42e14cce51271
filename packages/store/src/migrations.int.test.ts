import { afterAll, beforeAll, expect, it } from "vitest";
import { openCopy, type OpenedCopy } from "../test/database-copy.js";
import { migrate, MIGRATIONS, parseSchemaName } from "./migrations.js";
import { openPostgresStore } from "./postgres-store.js";

let opened: OpenedCopy;
beforeAll(async () => {
  opened = await openCopy();
});
afterAll(() => opened.close());

const version = async (schema: string) =>
  (await opened.driver.query(`SELECT max(version) AS version FROM ${schema}.schema_version`)).rows[0]?.["version"];

it("another schema holds a store of its own", async () => {
  const other = await openPostgresStore(opened.driver, { schema: "emb_other" });
  await other.audit.append({ action: "check", actor: "test", detail: {} });
  expect((await other.audit.head()).rows).toBe(1);
  expect((await opened.store.audit.head()).rows).toBe(0);
});

it("steps are applied once, and concurrent openers agree", async () => {
  await Promise.all([migrate(opened.driver, "emb_twice"), migrate(opened.driver, "emb_twice")]);
  await migrate(opened.driver, "emb_twice");
  expect(await version("emb_twice")).toBe(MIGRATIONS.length);
});

it("the ledger takes over what older runs embedded, at a price that nobody noted", async () => {
  const { driver } = opened;
  await migrate(driver, "emb_older", MIGRATIONS.slice(0, 1));
  await driver.exec(`
    INSERT INTO emb_older.bases VALUES ('docs', 'profile');
    INSERT INTO emb_older.seals (space_id, fingerprint, chunker_id, profile, provider, model_id, dims, similarity, storage, witness)
      VALUES ('s', 'f', 'c', 'p', 'p', 'm', 4, 'cosine', 'vector', '[]');
    INSERT INTO emb_older.namespaces (base, suffix, mode, namespace, state, seal_id) VALUES ('docs', 'p', 'profile', 'docs_p', 'ready', 1);
    INSERT INTO emb_older.runs (id, base, namespace_id, profile, source, state, version) VALUES
      ('paid', 'docs', 1, 'p', 's', 'ready', 1), ('idle', 'docs', 1, 'p', 's', 'ready', 2);
    INSERT INTO emb_older.shards (run_id, shard, tokens) VALUES ('paid', 0, 30), ('paid', 1, 12), ('idle', 0, 0);
  `);
  const { runs } = await openPostgresStore(driver, { schema: "emb_older" });
  const spend = async (id: string) => (await runs.get(id))?.spend;
  expect(await spend("paid")).toMatchObject({ tokens: 42, costUsd: null, maxCostUsd: null });
  expect(await spend("idle")).toMatchObject({ tokens: 0, costUsd: 0, maxCostUsd: null });
});

const broken = (s: string) => `CREATE TABLE ${s}.half (id integer); SELECT 1 / 0`;

it("a step that fails leaves nothing of itself and is done again", async () => {
  await expect(migrate(opened.driver, "emb_broken", [...MIGRATIONS, broken])).rejects.toThrow(/division by zero/);
  expect(await version("emb_broken")).toBe(MIGRATIONS.length);
  await migrate(opened.driver, "emb_broken", [...MIGRATIONS, (s) => `CREATE TABLE ${s}.half (id integer)`]);
  expect(await version("emb_broken")).toBe(MIGRATIONS.length + 1);
});

it("a schema of a newer program is refused", async () => {
  await migrate(opened.driver, "emb_newer", [...MIGRATIONS, () => "SELECT 1"]);
  await expect(openPostgresStore(opened.driver, { schema: "emb_newer" })).rejects.toMatchObject({
    code: "EMB_STORE_SCHEMA_NEWER",
    context: { seen: MIGRATIONS.length + 1, known: MIGRATIONS.length },
  });
});

it.each(["", "Emb", "1emb", "pg_emb", "a b", "emb;drop", 'emb"', "e".repeat(64)])(
  "%j cannot be a schema name",
  (name) => {
    expect(() => parseSchemaName(name)).toThrow(/cannot be a schema name/);
  },
);

it("a failed statement fails its transaction even when nobody looked", async () => {
  const { driver } = opened;
  await driver.exec("CREATE TABLE public.sum (n integer)");
  const swallowing = driver.transaction(async (tx) => {
    await tx.query("INSERT INTO public.sum VALUES (1)");
    await tx.query("SELECT 1 / 0").catch(() => undefined);
    return "done";
  });
  await expect(swallowing).rejects.toThrow(/division by zero/);
  expect((await driver.query("SELECT * FROM public.sum")).rows).toEqual([]);
});
