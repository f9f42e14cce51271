import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCopy } from "../test/database-copy.js";
import { openServerSchema, serverSkip } from "../test/server-schema.js";
import { eraseShadowReads } from "./postgres-shadow-reads.js";
import type { SqlDriver } from "./sql-driver.js";
import type { Store } from "./store.js";
import { batchOf, chunkOf, documentOf, startFilling } from "./testing/sealed-sample.js";

const WORD = "Xylozimt";
const TEXT = `The recipe of ${WORD} is nobody's business.`;
const VECTOR = [0.123_456_78, -0.987_654_32, 0.555_555_5, 0.314_159_27];
/** As binary COPY wrote it and `vector_send` gives it: two dimension words, then float32, big-endian. */
const vectorHex = (() => {
  const bytes = Buffer.alloc(4 * VECTOR.length);
  VECTOR.forEach((value, place) => bytes.writeFloatBE(value, 4 * place));
  return bytes.toString("hex");
})();

describe.each([
  ["the embedded store", "", openCopy],
  ["the store in a server", serverSkip, openServerSchema],
] as const)("%s%s", (_name, skip, open) => {
  let opened: { readonly store: Store; readonly driver: SqlDriver; close(): Promise<void> };
  beforeAll(async () => {
    if (skip === "") opened = await open();
  });
  afterAll(async () => {
    if (skip === "") await opened.close();
  });

  /** Every column of every table of emb's schema that holds the text, a word of it, or the vector. */
  const traces = async (): Promise<string[]> => {
    const { driver } = opened;
    const columns = await driver.query(
      `SELECT c.table_schema, c.table_name, c.column_name, c.udt_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
       WHERE t.table_type IN ('BASE TABLE', 'LOCAL TEMPORARY') AND c.table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const found: string[] = [];
    for (const row of columns.rows) {
      const [schema, table, column] = [row["table_schema"], row["table_name"], row["column_name"]].map(String);
      const name = `"${schema}"."${table}"`;
      const vector =
        row["udt_name"] === "vector" ? `OR encode(vector_send("${column}"), 'hex') LIKE '%' || $2 || '%'` : "";
      const { rows } = await driver.query(
        `SELECT FROM ${name} WHERE "${column}"::text LIKE '%' || $1 || '%' OR encode(convert_to("${column}"::text, 'UTF8'), 'hex') LIKE '%' || $2 || '%' ${vector}
           OR "${column}"::text LIKE '%' || encode(convert_to($1, 'UTF8'), 'hex') || '%' LIMIT 1`,
        [WORD, vectorHex],
      );
      if (rows.length > 0) found.push(`${table}.${column}`.replace(/^ns_\d+/, "ns"));
    }
    return found.toSorted();
  };

  it.skipIf(skip !== "")("leaves no word and no vector of an erased document in any column of any table", async () => {
    const { store } = opened;
    const first = await startFilling(store, ["a", "b"]);
    const second = await startFilling(store, ["a", "b"], { base: first.base, seal: { profile: "second" } });
    const { base } = first;
    const version = await store.documents.nextVersion();
    const document = documentOf("a", version, { text: TEXT, title: `About ${WORD}`, metadata: { note: WORD } });
    await store.documents.put({ base, source: `put ${WORD}`, document });
    const chunks = [chunkOf("a", 0, VECTOR, TEXT)];
    await first.writer.writeBatch(
      batchOf(first, [{ documentId: "a", version, chunks }], {
        failures: [{ documentId: "a", ordinal: 1, code: "EMB_TEXT_TOO_LONG", reason: `not the text, but ${WORD}` }],
      }),
    );
    await second.writer.writeChanges({
      documents: [{ documentId: "a", version, chunks }],
      settled: [],
      failures: [{ documentId: "a", ordinal: 1, code: "EMB_TEXT_TOO_LONG", reason: `not the text, but ${WORD}` }],
    });
    const answer = { profile: "first", namespace: "n", documents: [{ id: "a", score: 1 }], latencyMs: 1 };
    const read = { base, query: `What is ${WORD}?`, k: 1, baseline: answer, outcome: "answered" as const };
    await store.shadowReads.record({ ...read, candidate: { ...answer, documents: [] } });
    expect(await traces()).toEqual([
      "changes.reason",
      "documents.body",
      "documents.metadata",
      "documents.source",
      "documents.title",
      "failures.reason",
      "ns.embedding",
      "ns.embedding",
      "ns.text",
      "ns.text",
      "shadow_reads.query",
    ]);

    const erased = { base, documentId: "a", version: await store.documents.nextVersion(), erase: true };
    expect(await store.documents.delete(erased)).toEqual({ state: "deleted", version: erased.version });
    expect(await traces()).toEqual([]);
  });
});

it.skipIf(serverSkip !== "")(
  `a shadow read of an answer made before an erasure is not kept when it comes during it${serverSkip}`,
  async () => {
    const own = await openServerSchema();
    const { store, driver, schema } = own;
    try {
      const base = "docs";
      const document = documentOf("a", await store.documents.nextVersion());
      await store.documents.put({ base, source: "put", document });
      const answer = { profile: "first", namespace: "n", documents: [{ id: "a", score: 1 }], latencyMs: 1 };
      const read = { base, query: "?", k: 1, baseline: answer, candidate: answer, outcome: "answered" as const };
      let recording: Promise<boolean> | undefined;
      await driver.transaction(async (tx) => {
        await tx.query(`UPDATE ${schema}.documents SET deleted = true WHERE document_id = 'a'`);
        await eraseShadowReads(tx, schema, { base, documentId: "a" });
        recording = store.shadowReads.record(read);
        await sleep(100); // it would be in by now
      });
      expect(await recording).toBe(false);
      expect(await store.shadowReads.list({ base, limit: 1 })).toEqual([]);
    } finally {
      await own.close();
    }
  },
);
