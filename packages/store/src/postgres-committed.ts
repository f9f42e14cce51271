import { z } from "zod";
import { committedName, tableName } from "./namespace-table.js";
import { notOfRun } from "./postgres-changes.js";
import type { SqlSession, SqlTransaction } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";

const IdRow = z.object({ id: z.int() });

/** The tables of every namespace of the base that has any, in order of id; none of them is dropped before the transaction ends. */
async function tablesOf(tx: SqlSession, schema: string, base: string) {
  const namespaces = await tx.query(
    `SELECT id FROM ${schema}.namespaces WHERE base = $1 AND state <> 'retired' ORDER BY id FOR SHARE`,
    [base],
  );
  return parseRows(IdRow, namespaces).map(({ id }) => ({
    id,
    chunks: tableName(schema, id),
    committed: committedName(schema, id),
  }));
}

/** All that namespaces have of documents that are deleted: chunks, changes that wait, and what was refused of them. */
export async function removeFromNamespaces(
  tx: SqlTransaction,
  schema: string,
  base: string,
  documentIds: readonly string[],
): Promise<void> {
  if (documentIds.length === 0) return;
  for (const { chunks, committed } of await tablesOf(tx, schema, base)) {
    await tx.query(`DELETE FROM ${chunks} WHERE document_id = ANY ($1::text[])`, [documentIds]);
    await tx.query(`DELETE FROM ${committed} WHERE document_id = ANY ($1::text[])`, [documentIds]);
  }
  await tx.query(
    `DELETE FROM ${schema}.changes WHERE document_id = ANY ($2::text[]) AND namespace_id IN (SELECT id FROM ${schema}.namespaces WHERE base = $1)`,
    [base, documentIds],
  );
  await tx.query(
    `DELETE FROM ${schema}.failures WHERE document_id = ANY ($2::text[]) AND run_id IN (SELECT id FROM ${schema}.runs WHERE base = $1)`,
    [base, documentIds],
  );
}

/** A version of the other line says nothing about what namespaces have committed. */
export async function forgetCommitted(
  tx: SqlTransaction,
  schema: string,
  base: string,
  documentIds: readonly string[],
): Promise<void> {
  for (const { committed } of await tablesOf(tx, schema, base))
    await tx.query(`DELETE FROM ${committed} WHERE document_id = ANY ($1::text[])`, [documentIds]);
}

/** A document whose content stayed while its version moved on, perhaps to the other line. */
export interface Kept {
  readonly documentId: string;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * The same content under a newer version: what is committed stays so, and what waits waits for the newer one. A fill that has just read the older
 * version cannot commit it any more, so where nothing is committed the change waits too.
 * @param carry.exceptOfRun as for `queueChanges`
 */
export async function carryOver(
  tx: SqlTransaction,
  schema: string,
  { base, kept, exceptOfRun }: { base: string; kept: readonly Kept[]; exceptOfRun?: string },
): Promise<void> {
  if (kept.length === 0) return;
  const columns = [kept.map(({ documentId }) => documentId), kept.map(({ from }) => from), kept.map(({ to }) => to)];
  const moved = "unnest($1::text[], $2::bigint[], $3::bigint[]) AS k (document_id, before, after)";
  for (const { id, committed } of await tablesOf(tx, schema, base)) {
    // what is not shown yet may be committed in a version of the other line that has the new one's number
    await tx.query(
      `DELETE FROM ${committed} AS c USING ${moved} WHERE c.document_id = k.document_id AND c.version <> k.before`,
      columns,
    );
    await tx.query(
      `UPDATE ${committed} AS c SET version = k.after FROM ${moved} WHERE c.document_id = k.document_id`,
      columns,
    );
    await tx.query(
      `UPDATE ${schema}.changes AS c SET version = k.after FROM ${moved} WHERE c.namespace_id = $4 AND c.document_id = k.document_id`,
      [...columns, id],
    );
    await tx.query(
      `INSERT INTO ${schema}.changes (namespace_id, document_id, version)
       SELECT n.id, k.document_id, k.after FROM ${moved} CROSS JOIN ${schema}.namespaces n
       WHERE n.id = $4 AND ${notOfRun(schema, "$5")} AND NOT EXISTS (SELECT FROM ${committed} c WHERE c.document_id = k.document_id)
       ON CONFLICT (namespace_id, document_id) DO NOTHING`,
      [...columns, id, exceptOfRun ?? null],
    );
  }
}
