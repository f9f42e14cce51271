import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPlace } from "./open-place.js";
import { createPostgresSource, type PostgresRows } from "./postgres-source.js";
import type { Source, SourceItem } from "./source.js";
import { sourceContract, type SourceAdapter } from "./testing/source-contract.js";

const address = process.env["TEST_DATABASE_URL"]?.trim() ?? "";
const skip = address === "" ? " (skipped: TEST_DATABASE_URL is not set)" : "";

let client: Client;
beforeAll(async () => {
  if (skip !== "") return;
  client = new Client({ connectionString: address });
  await client.connect();
});
afterAll(async () => {
  if (skip === "") await client.end();
});

const newName = () => `source_${randomBytes(6).toString("hex")}`;

/** The server sees a session end a moment after it was closed. */
async function openSessions(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const { rows } = await client.query<{ n: number }>(
      "SELECT count(*)::integer AS n FROM pg_stat_activity WHERE application_name = 'emb source'",
    );
    const open = rows[0]?.n ?? 0;
    if (open === 0 || tries === 50) return open;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const adapter: SourceAdapter = {
  idSuffix: "",
  async create(documents, { maxDocumentBytes }) {
    const table = newName();
    await client.query(`CREATE TABLE ${table} (id text COLLATE "C", text text)`);
    for (const { kind, id, text } of documents)
      await client.query(`INSERT INTO ${table} VALUES ($1, $2)`, [id, kind === "unreadable" ? null : text]);
    return {
      open: () => createPostgresSource({ connectionString: address, rows: { table }, maxDocumentBytes }),
      rewrite: async (id, text) => void (await client.query(`UPDATE ${table} SET text = $2 WHERE id = $1`, [id, text])),
      openHandles: openSessions,
      remove: async () => void (await client.query(`DROP TABLE ${table}`)),
    };
  },
};

/** One read is one snapshot of the database, so a later change does not show in it. */
const SNAPSHOT = "reads a document when it is asked for, not before";

describe.skipIf(skip !== "")(`createPostgresSource keeps the source contract${skip}`, () => {
  it.each(Object.entries(sourceContract).filter(([name]) => name !== SNAPSHOT))("%s", (_name, check) => check(adapter));
});

const sourceOf = (rows: PostgresRows): Source =>
  createPostgresSource({ connectionString: address, rows, maxDocumentBytes: 1_000_000 });

async function collect(items: AsyncIterable<SourceItem>): Promise<SourceItem[]> {
  const all: SourceItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}
const live = { signal: new AbortController().signal };

describe.skipIf(skip !== "")(`a PostgreSQL source${skip}`, () => {
  it.each([49, 50, 51, 120])("takes %i other columns", async (count) => {
    const names = Array.from({ length: count }, (_, i) => `c${i}`);
    const query = `SELECT 1 AS id, 'body' AS text, ${names.map((name, i) => `${i} AS ${name}`).join(", ")}`;
    const metadata = Object.fromEntries(names.map((name, i) => [name, i]));
    expect(await collect(sourceOf({ query }).read(live))).toMatchObject([{ kind: "document", id: "1", metadata }]);
  });

  it("takes title, metadata and every other column, from a query too", async () => {
    const query = `SELECT 7 AS id, 'body' AS text, 'Head' AS title, now() AS updated_at, 'de' AS lang, ARRAY[1, 2] AS "my tags", '{"a": {"b": true}}'::json AS metadata;`;
    expect(await collect(sourceOf({ query }).read(live))).toEqual([
      {
        kind: "document",
        id: "7",
        title: "Head",
        format: "text",
        text: "body",
        metadata: { lang: "de", "my tags": [1, 2], a: { b: true } },
        version: null,
      },
    ]);
  });

  it.each(["; ;\n", " -- of the shop", ";\n;"])("takes a query that ends with %j", async (end) => {
    const items = await collect(sourceOf({ query: `SELECT 1 AS id, 'body' AS text${end}` }).read(live));
    expect(items).toEqual([expect.objectContaining({ id: "1", text: "body" })]);
  });

  it("that is asked for TLS and has none is refused", async () => {
    const connectionString = `${address}?sslmode=verify-full`;
    const source = createPostgresSource({ connectionString, rows: { table: "articles" }, maxDocumentBytes: 1 });
    await expect(collect(source.read(live))).rejects.toMatchObject({
      code: "EMB_SOURCE_INVALID",
      message: expect.stringContaining("The server does not support SSL connections"),
    });
  });

  it("says what is wrong with a row without what stands in it", async () => {
    const query = "SELECT id, text, text::integer AS number FROM (VALUES (1, '1'), (2, 'a secret')) AS rows (id, text)";
    const failure = await collect(sourceOf({ query }).read(live)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "EMB_SOURCE_INVALID", message: expect.stringContaining("SQLSTATE 22P02") });
    expect(JSON.stringify(failure) + String(failure)).not.toContain("secret");
  });

  it("sets aside a row whose metadata cannot be kept, and reads on", async () => {
    const query = `SELECT id, 'body' AS text, metadata::json, extra::json FROM (VALUES
      (1, '[1]', '1'), (2, '{"a": "\\u0000"}', '1'), (3, NULL, '{"b": "\\u0000"}'), (4, '"c"', '1'),
      (5, 'null', '2'), (6, '{"extra": 3, "__proto__": {"d": 4}}', '1')) AS rows (id, metadata, extra)`;
    const items = await collect(sourceOf({ query }).read(live));
    const nul = "metadata: expected text, found a NUL character at offset 0";
    expect(items.map((item) => (item.kind === "document" ? JSON.stringify(item.metadata) : item.reason))).toEqual([
      "metadata: expected a JSON object",
      nul,
      nul,
      "metadata: expected a JSON object",
      '{"extra":2}',
      '{"extra":3,"__proto__":{"d":4}}',
    ]);
  });

  it("finds an id that is there twice also among others that are equal to the database", async () => {
    const query =
      "SELECT id, 'body' AS text, n AS updated_at FROM (VALUES (1.0, 1), (1.00, 2), (1.0, 3)) AS rows (id, n)";
    expect(await collect(sourceOf({ query }).read(live))).toMatchObject([
      { kind: "document", id: "1.0" },
      { kind: "set-aside", reason: "id: expected one that no row before has, found it a second time" },
      { kind: "document", id: "1.00" },
    ]);
  });

  it("gives every row of a table larger than one answer, in order of id, and is the same table under its schema's name", async () => {
    const table = newName();
    await client.query(
      `CREATE TABLE ${table} AS SELECT i AS id, repeat('word ', i % 50) AS text FROM generate_series(1, 3000) i`,
    );
    const items = await collect(sourceOf({ table: `public.${table}` }).read(live));
    expect(items.map(({ id }) => Number(id))).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
    await client.query(`DROP TABLE ${table}`);
  });

  it("tells what changed since a mark, also what was committed late", async () => {
    const table = newName();
    await client.query(`CREATE TABLE ${table} (id text, text text, updated_at timestamptz)`);
    await client.query(`INSERT INTO ${table} VALUES ('old', 'x', now() - interval '1 hour')`);
    const { changes } = sourceOf({ table });
    const mark = await changes!.mark(live);
    expect(await collect(changes!.readSince(mark, live))).toEqual([]);
    await client.query(`INSERT INTO ${table} VALUES ('late', 'y', now() - interval '2 minutes'), ('new', 'z', now())`);
    expect((await collect(changes!.readSince(mark, live))).map(({ id }) => id)).toEqual(["late", "new"]);
    await client.query(`DROP TABLE ${table}`);
  });

  it("that is shut down while it is read may be tried again", async () => {
    const query = "SELECT 'a' AS id, pg_terminate_backend(pg_backend_pid())::text AS text";
    await expect(collect(sourceOf({ query }).read(live))).rejects.toMatchObject({ code: "EMB_SOURCE_UNAVAILABLE" });
  });

  it("writes nothing, whatever the query says", async () => {
    const table = newName();
    await client.query(`CREATE TABLE ${table} (id text)`);
    const query = `WITH w AS (INSERT INTO ${table} VALUES ('x') RETURNING id) SELECT id, 'text' AS text FROM w`;
    await expect(collect(sourceOf({ query }).read(live))).rejects.toMatchObject({ code: "EMB_SOURCE_INVALID" });
    expect((await client.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
    await client.query(`DROP TABLE ${table}`);
  });

  it.each<[string, PostgresRows, RegExp]>([
    ["a table that is not there", { table: "no_such_table" }, /relation "no_such_table" does not exist/],
    ["a name that would break out", { table: 'x"; DROP TABLE y; --' }, /does not exist/],
    ["columns that are missing", { query: "SELECT 1 AS id, 2 AS body" }, /expected columns text, seen id, body/],
    ["a query that is none", { query: "SELEC" }, /syntax error/],
  ])("refuses %s", async (_what, rows, message) => {
    await expect(collect(sourceOf(rows).read(live))).rejects.toMatchObject({
      code: "EMB_SOURCE_INVALID",
      message: expect.stringMatching(message),
    });
  });
});

describe("the address of a PostgreSQL source", () => {
  const rows = { table: "articles" };
  const at = (connectionString: string) => createPostgresSource({ connectionString, rows, maxDocumentBytes: 1 });

  it("is its identity without user and password", () => {
    expect(at("postgres://me:hunter2@db.internal:5433/shop?sslmode=require").identity).toBe(
      "postgres://db.internal:5433/shop#articles",
    );
    const query = createPostgresSource({
      connectionString: "postgres://h/d",
      rows: { query: "SELECT 1" },
      maxDocumentBytes: 1,
    });
    expect(query.identity).toMatch(/^postgres:\/\/h\/d#query-[0-9a-f]{12}$/);
  });

  it("with a certificate that is not there is refused, not reported", async () => {
    await expect(collect(at("postgres://me:hunter2@h/shop?sslrootcert=/no/ca.crt").read(live))).rejects.toMatchObject({
      code: "EMB_SOURCE_INVALID",
      message: "source postgres://h/shop#articles: no connection as its address asks for: ENOENT",
    });
  });

  it("that is none, or where nothing answers, is said without the password", async () => {
    for (const none of [
      "not an address",
      "postgres:me:hunter2@db/shop",
      "postgres:/me:hunter2@db/shop",
      "postgres:////me:hunter2@db/shop",
    ])
      expect(() => at(none)).toThrow(
        expect.objectContaining({ code: "EMB_USAGE", message: "the source's address is no postgres:// URL" }),
      );
    for (const source of [
      "mysql://me:hunter2@db/shop",
      "Postgres://me:hunter2@db/shop",
      " postgres://me:hunter2@db/shop",
    ])
      await expect(openPlace({ source }, { from: "/", maxDocumentBytes: 1 })).rejects.toMatchObject({
        code: "EMB_USAGE",
        message: "the source is an address of another kind than postgres://",
      });
    const failure = await collect(at("postgres://me:hunter2@127.0.0.1:1/shop").read(live)).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: "EMB_SOURCE_UNAVAILABLE",
      exitCode: 75,
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expect(JSON.stringify(failure) + String(failure)).not.toContain("hunter2");
  });
});
