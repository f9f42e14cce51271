import { z } from "zod";
import { compareVersions, decidePut, type OrderedVersion } from "./document-order.js";
import type { Deletion, DeletionResult, Documents, PutResult } from "./documents.js";
import { committedName, tableName } from "./namespace-table.js";
import { lockNewBase, queueChanges } from "./postgres-changes.js";
import { eraseShadowReads } from "./postgres-shadow-reads.js";
import type { SqlDriver, SqlSession, SqlTransaction } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { checkStorable, metadataJson } from "./stored-text.js";

const IdRow = z.object({ id: z.int() });
const DrawnRow = z.object({ version: z.bigint() });
const StoredRow = z
  .object({
    version: z.bigint(),
    own_version: z.boolean(),
    drawn: z.bigint(),
    deleted: z.boolean(),
    content_hash: z.instanceof(Uint8Array),
  })
  .transform(({ own_version, content_hash, ...row }) => ({
    ...row,
    ownVersion: own_version,
    contentHash: content_hash,
  }));

/** Lower than every version that is drawn or given: stands for a document that never was. */
const NEVER = -1n;

/** Where the row `d` of a document stands among drawn versions. */
export const DRAWN = "coalesce(d.drawn, CASE WHEN d.own_version THEN 0 ELSE d.version END)";

/** Documents that change one by one. */
export function createLiveDocuments(driver: SqlDriver, schema: string): Pick<Documents, "put" | "delete"> {
  const documents = `${schema}.documents`;

  /** The document's row, made when there is none, and locked: whoever writes the document comes one after the other. */
  const lock = async (tx: SqlTransaction, base: string, documentId: string) => {
    await tx.query(
      `INSERT INTO ${documents} (base, document_id, format, body, metadata, version, content_hash, source, deleted, own_version)
       VALUES ($1, $2, 'text', '', '{}', ${NEVER}, '', '', true, false) ON CONFLICT DO NOTHING`,
      [base, documentId],
    );
    const result = await tx.query(
      `SELECT version, own_version, ${DRAWN} AS drawn, deleted, content_hash
       FROM ${documents} d WHERE base = $1 AND document_id = $2 FOR NO KEY UPDATE`,
      [base, documentId],
    );
    return parseOneRow(StoredRow, result);
  };

  const order = async (
    tx: SqlSession,
    { version, ownVersion = false }: { version: bigint; ownVersion?: boolean },
  ): Promise<OrderedVersion> => {
    if (!ownVersion) return { version, ownVersion, drawn: version };
    const drawn = parseOneRow(DrawnRow, await tx.query(`SELECT nextval('${schema}.document_version') AS version`));
    return { version, ownVersion, drawn: drawn.version };
  };

  const put = (given: Parameters<Documents["put"]>[0]): Promise<PutResult> => {
    const { base, source, document } = given;
    checkStorable(document);
    return driver.transaction(async (tx) => {
      await lockNewBase(tx, schema, base);
      const stored = await lock(tx, base, document.id);
      const incoming = { ...(await order(tx, document)), contentHash: document.contentHash };
      const decision = decidePut(incoming, stored);
      if (decision === "superseded") return { state: "superseded", version: stored.version };
      const otherLine = stored.version !== NEVER && stored.ownVersion !== incoming.ownVersion;
      if (otherLine) await forgetCommitted(tx, schema, base, [document.id]);
      await tx.query(
        `UPDATE ${documents} SET title = $3, format = $4, body = $5, metadata = $6::jsonb, version = $7, content_hash = $8, source = $9,
           own_version = $10, drawn = $11, deleted = false WHERE base = $1 AND document_id = $2`,
        [
          base,
          document.id,
          document.title,
          document.format,
          document.text,
          metadataJson(document),
          incoming.version,
          document.contentHash,
          source,
          incoming.ownVersion,
          incoming.ownVersion ? incoming.drawn : null,
        ],
      );
      if (decision === "store" || otherLine) await queueChanges(tx, schema, { base, documentIds: [document.id] });
      else await carryOver(tx, schema, { base, documentId: document.id, from: stored.version, to: incoming.version });
      return { state: decision === "store" ? "stored" : "unchanged", version: incoming.version };
    });
  };

  const remove = (deletion: Deletion): Promise<DeletionResult> => {
    const { base, documentId, erase = false } = deletion;
    return driver.transaction(async (tx) => {
      const stored = await lock(tx, base, documentId);
      const incoming = await order(tx, deletion);
      const older = compareVersions(incoming, stored) === "older";
      if (older && !(stored.deleted && erase)) {
        return { state: stored.deleted ? "absent" : "superseded", version: stored.version };
      }
      const kept = older ? stored : incoming;
      await tx.query(
        `UPDATE ${documents} SET deleted = true, title = NULL, format = 'text', body = '', metadata = '{}', content_hash = '',
           source = CASE WHEN $6 THEN '' ELSE source END, version = $3, own_version = $4, drawn = $5 WHERE base = $1 AND document_id = $2`,
        [base, documentId, kept.version, kept.ownVersion, kept.ownVersion ? kept.drawn : null, erase],
      );
      if (!stored.deleted || erase) await removeFromNamespaces(tx, schema, base, [documentId]);
      if (erase) await eraseShadowReads(tx, schema, { base, documentId });
      return { state: stored.deleted ? "absent" : "deleted", version: kept.version };
    });
  };

  return { put, delete: remove };
}

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

/**
 * The same content under a newer version: what is committed stays so, and what waits waits for the newer one. A fill that has just read the older
 * version cannot commit it any more, so where nothing is committed the change waits too.
 */
async function carryOver(
  tx: SqlTransaction,
  schema: string,
  { base, documentId, from, to }: { base: string; documentId: string; from: bigint; to: bigint },
): Promise<void> {
  for (const { id, committed } of await tablesOf(tx, schema, base)) {
    await tx.query(`UPDATE ${committed} SET version = $3 WHERE document_id = $1 AND version = $2`, [
      documentId,
      from,
      to,
    ]);
    await tx.query(`UPDATE ${schema}.changes SET version = $3 WHERE namespace_id = $1 AND document_id = $2`, [
      id,
      documentId,
      to,
    ]);
    await tx.query(
      `INSERT INTO ${schema}.changes (namespace_id, document_id, version)
       SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM ${committed} WHERE document_id = $2 AND version = $3)
       ON CONFLICT (namespace_id, document_id) DO NOTHING`,
      [id, documentId, to],
    );
  }
}
