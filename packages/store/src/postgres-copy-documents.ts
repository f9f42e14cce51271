import { z } from "zod";
import { CHUNK_COLUMNS, committedName, isCommitted, tableName } from "./namespace-table.js";
import type { NamespaceRecord } from "./namespaces.js";
import { advanceShardParams, advanceShardSql, leaseLost } from "./postgres-shards.js";
import { inScope } from "./run-scope.js";
import type { Lease } from "./runs.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";

const IdRow = z.object({ document_id: z.string() });

/** Taken over as they are; the version, the seal and the run are the new row's own. */
const COPIED = new Set(["document_id", "ordinal", "content_hash", "heading_path", "text", "embedding"]);

/**
 * Documents of a shard that another namespace holds as they are now, with their vectors, row by row inside the database. Left out are those of
 * which that namespace set a text aside.
 */
export function copyDocuments(
  { driver, schema, record, sealId }: { driver: SqlDriver; schema: string; record: NamespaceRecord; sealId: number },
  { lease, from }: { lease: Lease; from: NamespaceRecord },
): Promise<{ documents: number; chunks: number }> {
  const own = { table: tableName(schema, record.id), committed: committedName(schema, record.id) };
  const theirs = { table: tableName(schema, from.id), committed: committedName(schema, from.id) };
  const columns = CHUNK_COLUMNS.filter((column) => COPIED.has(column)).join(", ");
  return driver.transaction(async (tx) => {
    const wanted = await tx.query(
      `SELECT d.document_id FROM ${schema}.documents d
       WHERE d.base = $1 AND NOT d.deleted AND ($2::text IS NULL OR d.document_id > $2) AND ($3::text IS NULL OR d.document_id <= $3)
         AND ${isCommitted(theirs.committed)} AND NOT ${isCommitted(own.committed)}
         AND NOT EXISTS (SELECT FROM ${schema}.failures f JOIN ${schema}.runs r ON r.id = f.run_id
           WHERE r.namespace_id = $4 AND f.document_id = d.document_id)
         AND NOT EXISTS (SELECT FROM ${schema}.changes q WHERE q.namespace_id = $4 AND q.document_id = d.document_id AND q.code IS NOT NULL)
         AND ${inScope(schema, "$5")}
       ORDER BY d.document_id FOR SHARE OF d`,
      [record.base, lease.cursor ?? lease.after, lease.through, from.id, lease.runId],
    );
    const ids = parseRows(IdRow, wanted).map(({ document_id }) => document_id);
    if (ids.length === 0) return { documents: 0, chunks: 0 };
    await tx.query(`DELETE FROM ${own.table} WHERE document_id = ANY ($1::text[])`, [ids]);
    await tx.query(`DELETE FROM ${own.committed} WHERE document_id = ANY ($1::text[])`, [ids]);
    const { affected: chunks } = await tx.query(
      `INSERT INTO ${own.table} (${columns}, document_version, embedded_at, seal_id, run_id)
       SELECT ${columns}, document_version, embedded_at, $2::integer, $3 FROM ${theirs.table} WHERE document_id = ANY ($1::text[])`,
      [ids, sealId, lease.runId],
    );
    await tx.query(
      `INSERT INTO ${own.committed} (document_id, version)
       SELECT document_id, version FROM ${theirs.committed} WHERE document_id = ANY ($1::text[])`,
      [ids],
    );
    const counters = { documents: ids.length, chunks, embedded: 0, skipped: chunks, failed: 0, tokens: 0 };
    const held = await tx.query(advanceShardSql(schema), advanceShardParams({ lease, cursor: lease.cursor, counters }));
    if (held.affected !== 1) throw leaseLost(lease);
    return { documents: ids.length, chunks };
  });
}
