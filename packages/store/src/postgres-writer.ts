import { EmbError } from "@emb/manifest";
import { z } from "zod";
import { encodeChunkRows } from "./chunk-rows.js";
import { isDatabaseError } from "./database-error.js";
import { CHUNK_COLUMNS, committedName, tableName } from "./namespace-table.js";
import type { DocumentChunks, NamespaceRecord, NamespaceWriter, WriteBatch } from "./namespaces.js";
import { readDocuments } from "./postgres-documents.js";
import { advanceShard, leaseLost, upsertFailures } from "./postgres-runs.js";
import { buildIndex } from "./postgres-index.js";
import { parseKeys } from "./postgres-reader.js";
import type { SqlDriver, SqlTransaction } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { readVector } from "./vector-bytes.js";

const VectorRow = z.object({ hash: z.string(), vector: z.instanceof(Uint8Array) });
const CommittedRow = z.object({ documents: z.int(), chunks: z.int() });
const StaleRow = z.object({ positions: z.array(z.int()) });

const UNDEFINED_TABLE = "42P01";

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

  const encode = async (documents: readonly DocumentChunks[], runId: string) =>
    encodeChunkRows(documents, { shape: record.seal, sealId, runId });

  /** Positions of the documents whose stored version is another one, or that are deleted or gone. The rest stays locked. */
  const findStale = async (
    tx: SqlTransaction,
    ids: readonly string[],
    versions: readonly bigint[],
  ): Promise<readonly number[]> => {
    const result = await tx.query(
      `WITH incoming AS MATERIALIZED (
         SELECT id, version, position FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS i (id, version, position)
       ), live AS MATERIALIZED (
         SELECT i.position FROM incoming i JOIN ${schema}.documents d
           ON d.base = $1 AND d.document_id = i.id AND d.version = i.version AND NOT d.deleted
         ${concurrentSessions ? "FOR SHARE OF d" : ""}
       )
       SELECT coalesce(array_agg(position::integer), '{}') AS positions FROM incoming WHERE position NOT IN (SELECT position FROM live)`,
      [record.base, ids, versions],
    );
    return parseOneRow(StaleRow, result).positions.map((position) => position - 1);
  };

  /**
   * Removes what these documents had and notes the versions that take its place. A batch covers a stretch of ids: one look into the key says
   * whether any of them has rows, where a new namespace has none.
   */
  const replace = (tx: SqlTransaction, documents: readonly DocumentChunks[]) =>
    tx.query(
      `WITH incoming AS MATERIALIZED (SELECT id COLLATE "C" AS id, version FROM unnest($1::text[], $2::bigint[]) AS i (id, version)),
       removed AS (
         DELETE FROM ${table} WHERE document_id = ANY (CASE WHEN EXISTS (
           SELECT FROM ${table} WHERE document_id BETWEEN (SELECT min(id) FROM incoming) AND (SELECT max(id) FROM incoming)
         ) THEN $1::text[] ELSE '{}' END)
       )
       INSERT INTO ${committed} (document_id, version) SELECT id, version FROM incoming
       ON CONFLICT (document_id) DO UPDATE SET version = excluded.version`,
      [documents.map(({ documentId }) => documentId), documents.map(({ version }) => version)],
    );

  const write = (batch: WriteBatch) =>
    driver.transaction(async (tx) => {
      const { documents, lease, cursor, counters, failures } = batch;
      const ids = documents.map(({ documentId }) => documentId);
      const versions = documents.map(({ version }) => version);
      // encoded while the database works; a stale document is rare, and costs encoding the batch again
      const [held, stale, encoded] = await Promise.all([
        advanceShard(tx, schema, { lease, cursor, counters }),
        findStale(tx, ids, versions),
        encode(documents, lease.runId),
      ]);
      if (!held) throw leaseLost(lease);
      const live = stale.length === 0 ? documents : without(documents, stale);
      const bytes = stale.length === 0 ? encoded : await encode(live, lease.runId);
      const statements: Promise<unknown>[] = [replace(tx, live)];
      if (bytes !== null) statements.push(tx.copyIn({ table, columns: CHUNK_COLUMNS }, bytes));
      if (failures.length > 0) statements.push(upsertFailures(tx, schema, lease.runId, failures));
      await Promise.all(statements);
      return { superseded: stale.length };
    });

  return {
    record,

    readPending: (page) =>
      readDocuments(driver, schema, {
        ...page,
        base: record.base,
        onlyPending: `NOT EXISTS (SELECT FROM ${committed} c WHERE c.document_id = d.document_id AND c.version = d.version)`,
      }),

    countCommitted: async ({ after, through }) =>
      parseOneRow(
        CommittedRow,
        await driver.query(
          `SELECT count(*)::integer AS documents, coalesce(sum(chunks), 0)::integer AS chunks
           FROM ${schema}.documents d JOIN ${committed} c USING (document_id, version)
           LEFT JOIN (
             SELECT document_id, count(*) AS chunks FROM ${table}
             WHERE ($2::text IS NULL OR document_id > $2) AND ($3::text IS NULL OR document_id <= $3) GROUP BY document_id
           ) AS n USING (document_id)
           WHERE d.base = $1 AND NOT d.deleted AND ($2::text IS NULL OR document_id > $2) AND ($3::text IS NULL OR document_id <= $3)`,
          [record.base, after, through],
        ),
      ),

    forget: async (documentIds) =>
      void (await driver.query(`DELETE FROM ${committed} WHERE document_id = ANY ($1::text[])`, [documentIds])),

    readKeys: async (documentIds) =>
      parseKeys(
        await driver.query(
          `SELECT document_id, ordinal, content_hash, document_version FROM ${table}
           WHERE document_id = ANY ($1::text[]) ORDER BY document_id, ordinal`,
          [documentIds],
        ),
      ),

    findVectors: async (contentHashes) => {
      const result = await driver.query(
        `SELECT encode(h.hash, 'hex') AS hash, vector_send(found.embedding::vector) AS vector
         FROM (SELECT DISTINCT hash FROM unnest($1::bytea[]) AS i (hash)) AS h
         CROSS JOIN LATERAL (SELECT embedding FROM ${table} WHERE content_hash = h.hash LIMIT 1) AS found`,
        [contentHashes],
      );
      return new Map(parseRows(VectorRow, result).map(({ hash, vector }) => [hash, readVector(vector)]));
    },

    writeBatch: async (batch) => {
      try {
        return await write(batch);
      } catch (error) {
        throw isDatabaseError(error, UNDEFINED_TABLE) ? retired(record, error) : error;
      }
    },

    removeDead: async () => {
      const dead = (name: string) => `DELETE FROM ${name} n WHERE NOT EXISTS (
        SELECT FROM ${schema}.documents d WHERE d.base = $1 AND d.document_id = n.document_id AND NOT d.deleted)`;
      return driver.transaction(async (tx) => {
        const { affected } = await tx.query(dead(table), [record.base]);
        await tx.query(dead(committed), [record.base]);
        return affected;
      });
    },

    buildIndex: (indexOptions) => buildIndex(driver, schema, record, indexOptions?.signal),
  };
}

function without(documents: readonly DocumentChunks[], positions: readonly number[]): DocumentChunks[] {
  const left = new Set(positions);
  return documents.filter((_, position) => !left.has(position));
}

const retired = (record: NamespaceRecord, cause: unknown) =>
  new EmbError("EMB_NAMESPACE_NOT_FOUND", `namespace "${record.namespace}" was retired while it was being written`, {
    hint: "Start the re-ingest again; it makes the namespace anew.",
    context: { namespace: record.namespace },
    cause,
  });
