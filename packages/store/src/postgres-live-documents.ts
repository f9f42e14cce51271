import { z } from "zod";
import { compareVersions, decidePut, type OrderedVersion } from "./document-order.js";
import type { Deletion, DeletionResult, Documents, PutResult } from "./documents.js";
import { lockNewBase, queueChanges } from "./postgres-changes.js";
import { carryOver, forgetCommitted, removeFromNamespaces } from "./postgres-committed.js";
import { eraseShadowReads } from "./postgres-shadow-reads.js";
import type { SqlDriver, SqlSession, SqlTransaction } from "./sql-driver.js";
import { parseOneRow } from "./sql-rows.js";
import { checkStorable, metadataJson } from "./stored-text.js";

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
      if (decision === "store" && otherLine) await forgetCommitted(tx, schema, base, [document.id]);
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
      if (decision === "store") await queueChanges(tx, schema, { base, documentIds: [document.id] });
      else
        await carryOver(tx, schema, {
          base,
          kept: [{ documentId: document.id, from: stored.version, to: incoming.version }],
        });
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
