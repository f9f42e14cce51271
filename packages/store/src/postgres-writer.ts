import { z } from "zod";
import { encodeChunkRows } from "./chunk-rows.js";
import { CHUNK_COLUMNS, committedName, tableName } from "./namespace-table.js";
import type { DocumentChunks, NamespaceRecord, NamespaceWriter, WriteBatch } from "./namespaces.js";
import { createContentIndex, type ContentIndex } from "./postgres-content-index.js";
import { copyDocuments } from "./postgres-copy-documents.js";
import { writeChanges } from "./postgres-change-writer.js";
import { readPending } from "./postgres-documents.js";
import { upsertFailures } from "./postgres-runs.js";
import { advanceShardParams, advanceShardSql, leaseLost } from "./postgres-shards.js";
import { buildIndex } from "./postgres-index.js";
import { overMeetings } from "./over-meetings.js";
import { parseKeys } from "./postgres-reader.js";
import type { SqlDriver, SqlTransaction } from "./sql-driver.js";
import { parseOneRow } from "./sql-rows.js";
import { orRetired } from "./table-gone.js";

const EmptyRow = z.object({ empty: z.boolean() });
const PreparedRow = z.object({ held: z.boolean(), stale: z.array(z.int()) });

export function createPostgresWriter(options: {
  driver: SqlDriver;
  schema: string;
  record: NamespaceRecord;
  sealId: number;
}): NamespaceWriter {
  const { driver, schema, record, sealId } = options;
  const table = tableName(schema, record.id);
  const committed = committedName(schema, record.id);
  const { concurrentSessions } = driver.capabilities;

  /**
   * All that comes before a batch's rows, in one statement: renews the lease and moves the cursor, finds the documents whose stored version is
   * another one or that are deleted or gone (the rest stays locked), removes the chunks that the documents had, and notes which version is shown
   * from now on.
   */
  const prepare = async (tx: SqlTransaction, batch: WriteBatch): Promise<z.infer<typeof PreparedRow>> => {
    const ids = batch.documents.map(({ documentId }) => documentId);
    const versions = batch.documents.map(({ version }) => version);
    const hashes = batch.documents.map(({ contentHash }) => contentHash ?? null);
    const result = await tx.query(
      `WITH held AS (${advanceShardSql(schema)} RETURNING shard),
       incoming AS MATERIALIZED (
         SELECT id COLLATE "C" AS id, version, hash, position FROM unnest($13::text[], $14::bigint[], $16::bytea[]) WITH ORDINALITY AS i (id, version, hash, position)
       ),
       removed AS (DELETE FROM ${table} WHERE ${anyOfIncoming(table)}),
       shown AS (
         INSERT INTO ${committed} (document_id, version) SELECT id, version FROM incoming
         ON CONFLICT (document_id) DO UPDATE SET version = excluded.version
       )
       SELECT EXISTS (SELECT FROM held) AS held, ARRAY (
         SELECT i.position::integer - 1 FROM incoming i LEFT JOIN LATERAL (
           SELECT version, content_hash FROM ${schema}.documents WHERE base = $12 AND document_id = i.id AND NOT deleted
           ${concurrentSessions ? "FOR SHARE" : "LIMIT 1"} -- either way one look into the key for each, not a walk through the whole table
         ) AS d ON true
         WHERE i.version IS DISTINCT FROM d.version OR i.hash <> d.content_hash
       ) AS stale,
       -- a holder that falls silent in here loses its locks when its lease is over, so that another can take the shard; where nobody else can, the
       -- timeout would end the database with its only session
       ${concurrentSessions ? "set_config('idle_in_transaction_session_timeout', $15, true)" : "$15::text"}`,
      [...advanceShardParams(batch), record.base, ids, versions, `${batch.lease.leaseMs}ms`, hashes],
    );
    return parseOneRow(PreparedRow, result);
  };

  const contents = new Map<number, ContentIndex>();
  const contentOf = (id: number): ContentIndex => {
    const known = contents.get(id) ?? createContentIndex(driver, schema, id);
    contents.set(id, known);
    return known;
  };

  /** Used again: as garbage, megabytes of each batch would wait for the next collection. */
  const rooms: ArrayBuffer[] = [];

  /** All statements at once, so that the database never waits for an answer to be read; what they answer decides before the commit. */
  const write = async (batch: WriteBatch) => {
    const { lease, documents, failures } = batch;
    const bytes = encodeChunkRows(documents, { shape: record.seal, sealId, runId: lease.runId }, rooms.pop());
    await driver.transaction(async (tx) => {
      const [{ held, stale }] = await Promise.all([
        prepare(tx, batch),
        bytes === null ? null : tx.copyIn({ table, columns: CHUNK_COLUMNS }, bytes),
        failures.length === 0 ? null : upsertFailures(tx, schema, lease.runId, failures),
      ]);
      if (!held) throw leaseLost(lease);
      if (stale.length > 0) throw new StaleDocuments(stale);
    });
    if (bytes !== null && bytes.buffer.byteLength > 0) rooms.push(bytes.buffer);
  };

  /** A stale document is rare: the batch is rolled back and written again without it. */
  const writeLive = async (batch: WriteBatch): Promise<{ superseded: number }> => {
    let { documents } = batch;
    for (;;) {
      try {
        await overMeetings(() => write({ ...batch, documents }));
        return { superseded: batch.documents.length - documents.length };
      } catch (error) {
        if (!(error instanceof StaleDocuments)) throw error;
        documents = without(documents, error.positions);
      }
    }
  };

  const unlessRetired = <T>(statement: () => Promise<T>): Promise<T> =>
    orRetired(record, "Start the re-ingest again; it makes the namespace anew.", statement);

  return {
    record,

    readPending: (page) => readPending(driver, schema, committed, { ...page, base: record.base }),

    readChanged: (ids) =>
      unlessRetired(() =>
        readPending(driver, schema, committed, {
          base: record.base,
          after: null,
          through: null,
          limit: ids.length,
          ids,
        }),
      ),

    forget: async (documentIds, { chunks } = { chunks: false }) =>
      driver.transaction(async (tx) => {
        await tx.query(`DELETE FROM ${committed} WHERE document_id = ANY ($1::text[])`, [documentIds]);
        await tx.query(
          `UPDATE ${schema}.changes SET code = NULL, reason = NULL, ordinals = NULL, attempts = 0, claimed_until = NULL
           WHERE namespace_id = $1 AND document_id = ANY ($2::text[]) AND code IS NOT NULL`,
          [record.id, documentIds],
        );
        if (chunks) await tx.query(`DELETE FROM ${table} WHERE document_id = ANY ($1::text[])`, [documentIds]);
      }),

    readKeys: async (documentIds) =>
      parseKeys(
        await driver.query(
          `SELECT document_id, ordinal, content_hash, document_version FROM ${table}
           WHERE document_id = ANY ($1::text[]) ORDER BY document_id, ordinal`,
          [documentIds],
        ),
      ),

    isEmpty: async () =>
      parseOneRow(EmptyRow, await driver.query(`SELECT NOT EXISTS (SELECT FROM ${table}) AS empty`)).empty,

    findVectors: async (contentHashes, alsoIn = []) => {
      const found = new Map<string, Float32Array>();
      for (const { id } of [record, ...alsoIn]) {
        const missing = contentHashes.filter((hash) => !found.has(Buffer.from(hash).toString("hex")));
        for (const [hash, vector] of await contentOf(id).findVectors(missing)) found.set(hash, vector);
      }
      return found;
    },

    copyDocuments: (copy) =>
      unlessRetired(() => overMeetings(() => copyDocuments({ driver, schema, record, sealId }, copy))),

    writeBatch: (batch) => unlessRetired(() => writeLive(batch)),

    writeChanges: (batch) =>
      unlessRetired(() => overMeetings(() => writeChanges({ driver, schema, record, sealId }, batch))),

    buildIndex: async (indexOptions) => {
      // for the runs to come, in a tenth of the time that it takes row by row; a put that had to make it would wait for the build below
      await contentOf(record.id).makeUnlessBusy(indexOptions?.signal);
      return buildIndex(driver, schema, record, indexOptions?.signal);
    },
  };
}

class StaleDocuments extends Error {
  constructor(readonly positions: readonly number[]) {
    super("documents of the batch have other versions by now");
  }
}

/**
 * Holds for the rows of `name` that belong to the ids $13. A batch covers a stretch of ids: one look into the key says whether there is
 * anything, where a new namespace has nothing.
 */
const anyOfIncoming = (name: string) => `document_id = ANY (CASE WHEN (SELECT max(id) FROM incoming) >= (
    SELECT document_id FROM ${name} WHERE document_id >= (SELECT min(id) FROM incoming) ORDER BY document_id LIMIT 1
  ) THEN $13::text[] ELSE '{}' END)`;

function without(documents: readonly DocumentChunks[], positions: readonly number[]): DocumentChunks[] {
  const left = new Set(positions);
  return documents.filter((_, position) => !left.has(position));
}
