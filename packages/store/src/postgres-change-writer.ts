import { z } from "zod";
import { encodeChunkRows } from "./chunk-rows.js";
import { CHUNK_COLUMNS, committedName, tableName } from "./namespace-table.js";
import type { ChangeBatch, DocumentChunks, NamespaceRecord } from "./namespaces.js";
import type { SqlDriver, SqlTransaction } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";

/** Stands in the provenance of a chunk that no run wrote. */
const LIVE = "live";

const StandingRow = z.object({
  document_id: z.string(),
  version: z.bigint(),
  content_hash: z.instanceof(Uint8Array),
  shown: z.boolean(),
  deleted: z.boolean(),
});

interface ChangeWriter {
  readonly driver: SqlDriver;
  readonly schema: string;
  readonly record: NamespaceRecord;
  readonly sealId: number;
}

/** See `NamespaceWriter.writeChanges`. */
export function writeChanges(
  { driver, schema, record, sealId }: ChangeWriter,
  batch: ChangeBatch,
): Promise<{ written: readonly string[]; superseded: readonly string[] }> {
  const table = tableName(schema, record.id);
  const committed = committedName(schema, record.id);
  const ids = [...batch.documents.map(({ documentId }) => documentId), ...batch.settled];

  /** In order of id, as a fill's batch locks them: a writer waits for the other, never both. */
  const lock = async (tx: SqlTransaction) => {
    await tx.query(
      `SELECT FROM ${schema}.documents WHERE base = $1 AND document_id = ANY ($2::text[]) ORDER BY document_id FOR NO KEY UPDATE`,
      [record.base, ids],
    );
    // a statement of its own: it sees what was committed while the lock was waited for
    const result = await tx.query(
      `SELECT d.document_id, d.version, d.content_hash, d.deleted, c.version IS NOT NULL AS shown
       FROM ${schema}.documents d LEFT JOIN ${committed} c ON c.document_id = d.document_id AND c.version = d.version
       WHERE d.base = $1 AND d.document_id = ANY ($2::text[])`,
      [record.base, ids],
    );
    return new Map(parseRows(StandingRow, result).map((row) => [row.document_id, row]));
  };

  const replace = async (tx: SqlTransaction, documents: readonly DocumentChunks[]) => {
    if (documents.length === 0) return;
    const bytes = encodeChunkRows(documents, { shape: record.seal, sealId, runId: LIVE });
    const written = documents.map(({ documentId }) => documentId);
    await Promise.all([
      tx.query(`DELETE FROM ${table} WHERE document_id = ANY ($1::text[])`, [written]),
      tx.query(
        `INSERT INTO ${committed} (document_id, version) SELECT * FROM unnest($1::text[], $2::bigint[])
         ON CONFLICT (document_id) DO UPDATE SET version = excluded.version`,
        [written, documents.map(({ version }) => version)],
      ),
      bytes === null ? null : tx.copyIn({ table, columns: CHUNK_COLUMNS }, bytes),
      // what a run's older version of them was refused for is over
      tx.query(
        `DELETE FROM ${schema}.failures WHERE document_id = ANY ($2::text[]) AND run_id IN (SELECT id FROM ${schema}.runs WHERE namespace_id = $1)`,
        [record.id, written],
      ),
    ]);
  };

  const leaveQueue = async (tx: SqlTransaction, shown: readonly string[]) => {
    if (shown.length === 0) return;
    await tx.query(
      `DELETE FROM ${schema}.changes WHERE namespace_id = $1 AND document_id = ANY ($2::text[]) AND code IS NULL`,
      [record.id, shown],
    );
  };

  const setAside = async (tx: SqlTransaction, documents: readonly DocumentChunks[]) => {
    for (const { documentId, version } of documents) {
      const failures = batch.failures.filter((failure) => failure.documentId === documentId);
      await tx.query(
        `INSERT INTO ${schema}.changes AS c (namespace_id, document_id, version, code, reason, ordinals) VALUES ($1, $2, $3, $4, $5, $6::integer[])
         ON CONFLICT (namespace_id, document_id) DO UPDATE SET version = excluded.version, code = excluded.code, reason = excluded.reason,
           ordinals = excluded.ordinals, claimed_until = NULL`,
        [
          record.id,
          documentId,
          version,
          failures[0]!.code,
          failures[0]!.reason,
          failures.map(({ ordinal }) => ordinal).toSorted((a, b) => a - b),
        ],
      );
    }
  };

  return driver.transaction(async (tx) => {
    const standing = await lock(tx);
    const current = ({ documentId, version, contentHash = null }: DocumentChunks) => {
      const row = standing.get(documentId);
      if (row === undefined || row.deleted || row.version !== version) return false;
      return contentHash === null || Buffer.compare(contentHash, row.content_hash) === 0;
    };
    const toWrite = batch.documents.filter(
      (document) => current(document) && !standing.get(document.documentId)!.shown,
    );
    await replace(tx, toWrite);
    const failed = new Set(batch.failures.map(({ documentId }) => documentId));
    const written = toWrite.map(({ documentId }) => documentId);
    await setAside(
      tx,
      toWrite.filter(({ documentId }) => failed.has(documentId)),
    );
    const done = ids.filter((id) => {
      const row = standing.get(id);
      return row === undefined || row.deleted || row.shown || (written.includes(id) && !failed.has(id));
    });
    await leaveQueue(tx, done);
    const superseded = batch.documents.filter((document) => !current(document)).map(({ documentId }) => documentId);
    return { written, superseded };
  });
}
