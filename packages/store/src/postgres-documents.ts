import { z } from "zod";
import { BinaryCopy, rowBytes } from "./binary-copy.js";
import type { Documents, IncomingDocument, StoredDocument } from "./documents.js";
import { committedName, isCommitted } from "./namespace-table.js";
import { queueChanges } from "./postgres-changes.js";
import { createLiveDocuments, DRAWN, forgetCommitted, removeFromNamespaces } from "./postgres-live-documents.js";
import type { SqlDriver, SqlSession, SqlTransaction } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { checkStorable, metadataJson } from "./stored-text.js";

const VersionRow = z.object({ version: z.bigint() });
const CountsRow = z.object({ live: z.int(), deleted: z.int() });
const TombstonedRow = z.object({ document_id: z.string() });

const DecisionRow = z.object({
  position: z.int(),
  decision: z.enum(["created", "changed", "superseded"]),
  other_line: z.boolean(),
});

const DocumentRow = z
  .object({
    document_id: z.string(),
    title: z.string().nullable(),
    format: z.enum(["markdown", "text"]),
    body: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    version: z.bigint(),
    content_hash: z.instanceof(Uint8Array),
    source: z.string(),
    deleted: z.boolean(),
  })
  .transform((row): StoredDocument => ({
    id: row.document_id,
    title: row.title,
    format: row.format,
    text: row.body,
    metadata: row.metadata,
    version: row.version,
    contentHash: row.content_hash,
    source: row.source,
    deleted: row.deleted,
  }));

const COLUMNS = [
  "base",
  "document_id",
  "title",
  "format",
  "body",
  "metadata",
  "version",
  "content_hash",
  "source",
  "deleted",
  "own_version",
] as const;

/**
 * A page of live documents in order of id. With `maxBytes` it ends with the document that passes that sum of text bytes.
 * @param page.ids only these, when given
 * @param page.where SQL that holds for the row `d` of a wanted document
 * @param page.scopeOf only documents in the scope of this partial run
 */
export async function readDocuments(
  session: SqlSession,
  schema: string,
  page: {
    base: string;
    after: string | null;
    through: string | null;
    limit: number;
    maxBytes?: number;
    ids?: readonly string[];
    where?: string;
    scopeOf?: string;
  },
): Promise<readonly StoredDocument[]> {
  const result = await session.query(
    `SELECT document_id, title, format, body, metadata, version, content_hash, source, deleted FROM (
       SELECT *, sum(octet_length(body)) OVER (ORDER BY document_id) - octet_length(body) AS bytes_before
       FROM (
         SELECT d.* FROM ${schema}.documents d
         WHERE d.base = $1 AND NOT d.deleted AND ($2::text IS NULL OR d.document_id > $2) AND ($3::text IS NULL OR d.document_id <= $3)
           AND ($6::text[] IS NULL OR d.document_id = ANY ($6))
           ${page.where === undefined ? "" : `AND ${page.where}`}
           ${page.scopeOf === undefined ? "" : `AND EXISTS (SELECT FROM ${schema}.run_scope s WHERE s.run_id = $7 AND s.document_id = d.document_id)`}
         ORDER BY d.document_id LIMIT $4::bigint
       ) AS page
     ) AS counted
     WHERE bytes_before < coalesce($5::bigint, bytes_before + 1)
     ORDER BY document_id`,
    [
      page.base,
      page.after,
      page.through,
      page.limit,
      page.maxBytes ?? null,
      page.ids ?? null,
      ...(page.scopeOf === undefined ? [] : [page.scopeOf]),
    ],
  );
  return parseRows(DocumentRow, result);
}

/** Documents as rows of `documents`, in the order of COLUMNS. */
function encodeDocuments(
  base: string,
  source: string,
  documents: readonly IncomingDocument[],
): Uint8Array<ArrayBuffer> {
  const bytesOf = (document: IncomingDocument, metadata: string) =>
    rowBytes(COLUMNS.length, 8 + 32 + 1 + 1) +
    [base, document.id, document.title ?? "", document.format, document.text, source].reduce(
      (sum, text) => sum + Buffer.byteLength(text),
      0,
    ) +
    1 +
    Buffer.byteLength(metadata);
  const metadata = documents.map(metadataJson);
  const copy = new BinaryCopy(documents.reduce((sum, document, i) => sum + bytesOf(document, metadata[i]!), 0));
  for (const [i, document] of documents.entries()) {
    copy.startRow(COLUMNS.length);
    copy.text(base);
    copy.text(document.id);
    if (document.title === null) copy.null();
    else copy.text(document.title);
    copy.text(document.format);
    copy.text(document.text);
    copy.jsonb(metadata[i]!);
    copy.int64(document.version);
    copy.raw(document.contentHash);
    copy.text(source);
    copy.bool(false);
    copy.bool(document.ownVersion === true);
  }
  return copy.finish();
}

export function createPostgresDocuments(driver: SqlDriver, schema: string): Documents {
  const documents = `${schema}.documents`;

  /**
   * Ids, versions and hashes decide; texts follow only for what is new or changed. Unchanged ones are not among the rows. On one line of versions the
   * newer one wins; across the lines what was drawn does: the run's version, and what a live write drew.
   */
  const decide = async (tx: SqlTransaction, base: string, runId: string, incoming: readonly IncomingDocument[]) => {
    const result = await tx.query(
      `SELECT position::integer - 1 AS position,
         CASE WHEN d.own_version = i.own AND (d.version > i.version OR i.own AND NOT d.deleted AND d.version = i.version)
             OR d.own_version <> i.own AND ${DRAWN} > (SELECT version FROM ${schema}.runs WHERE id = $6)
           THEN 'superseded' WHEN d.deleted IS DISTINCT FROM false THEN 'created' ELSE 'changed' END AS decision,
         coalesce(NOT d.deleted AND d.own_version <> i.own, false) AS other_line
       FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::boolean[]) WITH ORDINALITY AS i (id, version, hash, own, position)
       LEFT JOIN (
         SELECT document_id, version, content_hash, deleted, own_version, drawn FROM ${documents} WHERE base = $1 AND document_id = ANY ($2::text[])
         OFFSET 0 -- read by its key first, not joined with the whole table
       ) AS d ON d.document_id = i.id
       WHERE d.content_hash IS DISTINCT FROM i.hash OR d.deleted`,
      [
        base,
        incoming.map(({ id }) => id),
        incoming.map(({ version }) => version),
        incoming.map(({ contentHash }) => contentHash),
        incoming.map(({ ownVersion }) => ownVersion === true),
        runId,
      ],
    );
    return parseRows(DecisionRow, result);
  };

  /**
   * Decided again as each row is locked: a live write may have come between. A run that reads its source a second time may find another text under the
   * version that namespaces have committed: that text gets a version of its own.
   */
  const store = async (
    tx: SqlTransaction,
    { base, runId, source }: { base: string; runId: string; source: string },
    changed: readonly IncomingDocument[],
  ) => {
    await tx.exec(`CREATE TEMP TABLE IF NOT EXISTS emb_intake (LIKE ${documents}) ON COMMIT DELETE ROWS`);
    await tx.copyIn({ table: "emb_intake", columns: COLUMNS }, encodeDocuments(base, source, changed));
    const set = COLUMNS.slice(2)
      .filter((column) => column !== "version")
      .map((column) => `${column} = excluded.${column}`);
    await tx.query(
      `WITH run AS (SELECT version FROM ${schema}.runs WHERE id = $1)
       INSERT INTO ${documents} AS d (${COLUMNS.join(", ")}, drawn)
       SELECT ${COLUMNS.join(", ")}, CASE WHEN own_version THEN (SELECT version FROM run) END FROM emb_intake ORDER BY document_id
       ON CONFLICT (base, document_id) DO UPDATE SET ${set.join(", ")}, drawn = excluded.drawn,
         version = CASE WHEN d.version = excluded.version AND NOT excluded.own_version THEN nextval('${schema}.document_version') ELSE excluded.version END
       WHERE CASE WHEN d.own_version = excluded.own_version THEN d.version <= excluded.version
         ELSE ${DRAWN} <= coalesce((SELECT version FROM run), ${DRAWN}) END`,
      [runId],
    );
  };

  const remember = (session: SqlSession, runId: string, ids: readonly string[]) =>
    session.query(`INSERT INTO ${schema}.seen (run_id, document_ids) VALUES ($1, $2::text[])`, [runId, ids]);

  return {
    nextVersion: async () =>
      parseOneRow(VersionRow, await driver.query(`SELECT nextval('${schema}.document_version') AS version`)).version,

    intake: async ({ base, runId, source, documents: incoming }) => {
      for (const document of incoming) checkStorable(document);
      if (incoming.length === 0) return { created: 0, changed: 0, unchanged: 0, superseded: 0 };
      return driver.transaction(async (tx) => {
        const ids = incoming.map(({ id }) => id);
        const [decisions] = await Promise.all([
          decide(tx, base, runId, incoming),
          remember(tx, runId, ids),
          tx.query(
            // a folder that was moved takes its documents with it
            `UPDATE ${documents} SET source = $3 WHERE base = $1 AND document_id = ANY ($2::text[]) AND source <> $3 AND NOT deleted`,
            [base, ids, source],
          ),
        ]);
        const toStore = decisions
          .filter(({ decision }) => decision !== "superseded")
          .map(({ position }) => incoming[position]!);
        if (toStore.length > 0) {
          await store(tx, { base, runId, source }, toStore);
          const otherLine = decisions.filter((row) => row.other_line && row.decision === "changed");
          if (otherLine.length > 0)
            await forgetCommitted(
              tx,
              schema,
              base,
              otherLine.map(({ position }) => incoming[position]!.id),
            );
          await queueChanges(tx, schema, { base, documentIds: toStore.map(({ id }) => id), exceptOfRun: runId });
        }
        const count = (wanted: string) => decisions.filter(({ decision }) => decision === wanted).length;
        return {
          created: count("created"),
          changed: count("changed"),
          unchanged: incoming.length - decisions.length,
          superseded: count("superseded"),
        };
      });
    },

    markSeen: async ({ runId, documentIds }) => {
      if (documentIds.length > 0) await remember(driver, runId, documentIds);
    },

    sweep: ({ base, runId, source, version }) =>
      driver.transaction(async (tx) => {
        const gone = parseRows(
          TombstonedRow,
          await tx.query(
            `UPDATE ${documents} AS d SET deleted = true, version = CASE WHEN own_version THEN d.version ELSE $4 END,
               title = NULL, body = '', metadata = '{}'
             WHERE d.base = $1 AND d.source = $3 AND NOT d.deleted AND $4 > 0
               AND CASE WHEN own_version THEN coalesce(d.drawn, 0) ELSE d.version END < $4 AND NOT EXISTS (
               SELECT FROM (SELECT unnest(document_ids) AS id FROM ${schema}.seen WHERE run_id = $2) AS s WHERE s.id = d.document_id)
             RETURNING d.document_id`,
            [base, runId, source, version],
          ),
        );
        await tx.query(`DELETE FROM ${schema}.seen WHERE run_id = $1`, [runId]);
        await removeFromNamespaces(
          tx,
          schema,
          base,
          gone.map(({ document_id }) => document_id),
        );
        return gone.length;
      }),

    read: ({ committedIn, ...page }) =>
      readDocuments(driver, schema, {
        ...page,
        ...(committedIn !== undefined && { where: isCommitted(committedName(schema, committedIn)) }),
      }),

    count: async (base) =>
      parseOneRow(
        CountsRow,
        await driver.query(
          `SELECT count(*) FILTER (WHERE NOT deleted)::integer AS live, count(*) FILTER (WHERE deleted)::integer AS deleted
           FROM ${documents} WHERE base = $1`,
          [base],
        ),
      ),

    ...createLiveDocuments(driver, schema),
  };
}
