import { z } from "zod";
import { BinaryCopy, rowBytes } from "./binary-copy.js";
import type { Documents, IncomingDocument } from "./documents.js";
import { queueChanges } from "./postgres-changes.js";
import { carryOver, forgetCommitted } from "./postgres-committed.js";
import { isOwn } from "./postgres-comparison.js";
import { DRAWN } from "./postgres-live-documents.js";
import type { SqlDriver, SqlTransaction } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { checkStorable, metadataJson } from "./stored-text.js";

/** What most documents are is counted; only what is done something else with is named. */
const DecisionRow = z.object({
  created: z.int(),
  changed: z.int(),
  other_line: z.array(z.string()),
  kept: z.array(z.string()),
  moved: z.array(z.string()),
  superseded: z.array(z.string()),
  unchanged: z.array(z.string()),
});
const KeptRow = z.object({ documentId: z.string(), from: z.bigint(), to: z.bigint() });

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
    copy.bool(isOwn(document));
  }
  return copy.finish();
}

type Call = Parameters<Documents["intake"]>[0];

/** `Documents.intake`. */
export function createIntake(driver: SqlDriver, schema: string): Pick<Documents, "intake"> {
  const documents = `${schema}.documents`;

  /** Holds where the incoming row has a version of the caller's that is above the stored document `d`. */
  const outranks = (incoming: string, runId: string) =>
    `${incoming}.own_version AND CASE WHEN d.own_version THEN d.version < ${incoming}.version
       ELSE ${DRAWN} < (SELECT version FROM ${schema}.runs WHERE id = ${runId}) END`;

  const offer = async (tx: SqlTransaction, { base, source, documents: incoming }: Call) => {
    await tx.exec(`CREATE TEMP TABLE IF NOT EXISTS emb_intake (LIKE ${documents}) ON COMMIT DELETE ROWS`);
    await tx.copyIn({ table: "emb_intake", columns: COLUMNS }, encodeDocuments(base, source, incoming));
  };

  /**
   * On one line of versions the newer one wins; across the lines what was drawn does: the run's version, and what a live write drew.
   */
  const decide = async (tx: SqlTransaction, { base, runId }: Call) => {
    const idsOf = (decision: string) =>
      `coalesce(json_agg(document_id) FILTER (WHERE decision = '${decision}'), '[]') AS ${decision}`;
    const result = await tx.query(
      `SELECT count(*) FILTER (WHERE decision = 'created')::integer AS created, count(*) FILTER (WHERE decision = 'changed')::integer AS changed,
         coalesce(json_agg(document_id) FILTER (WHERE decision = 'changed' AND other_line), '[]') AS other_line,
         ${["kept", "moved", "superseded", "unchanged"].map(idsOf).join(", ")}
       FROM (
         SELECT i.document_id, d.own_version <> i.own_version AS other_line, CASE
             WHEN d.content_hash = i.content_hash AND NOT d.deleted
               THEN CASE WHEN ${outranks("i", "$2")} THEN 'kept' WHEN d.source <> i.source THEN 'moved' ELSE 'unchanged' END
             WHEN d.own_version = i.own_version AND (d.version > i.version OR i.own_version AND NOT d.deleted AND d.version = i.version)
               OR d.own_version <> i.own_version AND ${DRAWN} > (SELECT version FROM ${schema}.runs WHERE id = $2) THEN 'superseded'
             WHEN d.deleted IS DISTINCT FROM false THEN 'created' ELSE 'changed' END AS decision
         FROM emb_intake i
         LEFT JOIN LATERAL (
           SELECT version, content_hash, deleted, own_version, drawn, source FROM ${documents} WHERE base = $1 AND document_id = i.document_id
           LIMIT 1 -- one look into the key for each
         ) AS d ON true
       ) AS decided`,
      [base, runId],
    );
    return parseOneRow(DecisionRow, result);
  };

  /**
   * Decided again as each row is locked: a live write may have come between. A run that reads its source a second time may find another text under the
   * version that namespaces have committed: that text gets a version of its own.
   */
  const store = async (tx: SqlTransaction, { runId }: Call, leftOut: readonly string[]) => {
    if (leftOut.length > 0) await tx.query("DELETE FROM emb_intake WHERE document_id = ANY ($1::text[])", [leftOut]);
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

  /** The caller gave the content that is stored a higher version: what comes late between the two must not replace it. */
  const keep = async (tx: SqlTransaction, { base, runId, source }: Call, kept: readonly IncomingDocument[]) => {
    const result = await tx.query(
      `UPDATE ${documents} AS t SET version = k.after, own_version = true, source = $5,
         drawn = greatest(t.drawn, (SELECT version FROM ${schema}.runs WHERE id = $6))
       FROM (
         SELECT d.document_id, d.version AS before, i.version AS after
         FROM unnest($2::text[], $3::bigint[], $4::bytea[], $7::boolean[]) AS i (id, version, hash, own_version)
         JOIN ${documents} d ON d.base = $1 AND d.document_id = i.id AND d.content_hash = i.hash AND NOT d.deleted AND ${outranks("i", "$6")}
         ORDER BY d.document_id FOR NO KEY UPDATE OF d
       ) AS k
       WHERE t.base = $1 AND t.document_id = k.document_id
       RETURNING t.document_id AS "documentId", k.before AS "from", k.after AS "to"`,
      [
        base,
        kept.map(({ id }) => id),
        kept.map(({ version }) => version),
        kept.map(({ contentHash }) => contentHash),
        source,
        runId,
        kept.map(isOwn),
      ],
    );
    await carryOver(tx, schema, { base, kept: parseRows(KeptRow, result), exceptOfRun: runId });
  };

  /** A folder that was moved takes its documents with it. */
  const move = (tx: SqlTransaction, { base, source }: Call, moved: readonly string[]) =>
    tx.query(
      `UPDATE ${documents} SET source = $3 WHERE base = $1 AND document_id = ANY ($2::text[]) AND source <> $3 AND NOT deleted`,
      [base, moved, source],
    );

  return {
    intake: async (call) => {
      const { base, runId, documents: incoming } = call;
      for (const document of incoming) checkStorable(document);
      if (incoming.length === 0) return { created: 0, changed: 0, unchanged: 0, superseded: 0 };
      return driver.transaction(async (tx) => {
        await offer(tx, call);
        const { created, changed, other_line: otherLine, kept, moved, superseded, unchanged } = await decide(tx, call);
        if (moved.length > 0) await move(tx, call, moved);
        if (kept.length > 0) {
          const ids = new Set(kept);
          await keep(
            tx,
            call,
            incoming.filter(({ id }) => ids.has(id)),
          );
        }
        if (created + changed > 0) {
          const leftOut = [...kept, ...moved, ...superseded, ...unchanged];
          await store(tx, call, leftOut);
          if (otherLine.length > 0) await forgetCommitted(tx, schema, base, otherLine);
          const others = new Set(leftOut);
          const documentIds = incoming.map(({ id }) => id).filter((id) => !others.has(id));
          await queueChanges(tx, schema, { base, documentIds, exceptOfRun: runId });
        }
        return {
          created,
          changed,
          unchanged: kept.length + moved.length + unchanged.length,
          superseded: superseded.length,
        };
      });
    },
  };
}
