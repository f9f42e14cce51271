import { z } from "zod";
import { BinaryCopy, rowBytes } from "./binary-copy.js";
import type { Documents, IncomingDocument } from "./documents.js";
import { queueChanges } from "./postgres-changes.js";
import { carryOver, forgetCommitted } from "./postgres-committed.js";
import { isOwn } from "./postgres-comparison.js";
import { DRAWN } from "./postgres-live-documents.js";
import type { SqlDriver, SqlTransaction } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";
import { checkStorable, metadataJson } from "./stored-text.js";

const Decision = z.enum(["created", "changed", "kept", "moved", "superseded"]);
type Decision = z.infer<typeof Decision>;
const KeptRow = z.object({ documentId: z.string(), from: z.bigint(), to: z.bigint() });
const DecisionRow = z.object({
  position: z.int(),
  decision: Decision,
  other_line: z.boolean(),
});

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

/** `Documents.intake`. */
export function createIntake(driver: SqlDriver, schema: string): Pick<Documents, "intake"> {
  const documents = `${schema}.documents`;

  /** Holds where the incoming row has a version of the caller's that is above the stored document `d`. */
  const outranks = (incoming: string, runId: string) =>
    `${incoming}.own AND CASE WHEN d.own_version THEN d.version < ${incoming}.version
       ELSE ${DRAWN} < (SELECT version FROM ${schema}.runs WHERE id = ${runId}) END`;

  /**
   * Ids, versions and hashes decide; texts follow only for what is new or changed. What is stored as it comes is not among the rows. On one line of
   * versions the newer one wins; across the lines what was drawn does: the run's version, and what a live write drew.
   */
  const decide = async (
    tx: SqlTransaction,
    { base, runId, source, documents: incoming }: Parameters<Documents["intake"]>[0],
  ) => {
    const result = await tx.query(
      `SELECT position::integer - 1 AS position,
         CASE WHEN d.content_hash = i.hash AND NOT d.deleted THEN CASE WHEN ${outranks("i", "$6")} THEN 'kept' ELSE 'moved' END WHEN d.own_version = i.own AND (d.version > i.version OR i.own AND NOT d.deleted AND d.version = i.version)
             OR d.own_version <> i.own AND ${DRAWN} > (SELECT version FROM ${schema}.runs WHERE id = $6)
           THEN 'superseded' WHEN d.deleted IS DISTINCT FROM false THEN 'created' ELSE 'changed' END AS decision,
         coalesce(NOT d.deleted AND d.own_version <> i.own, false) AS other_line
       FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::boolean[]) WITH ORDINALITY AS i (id, version, hash, own, position)
       LEFT JOIN LATERAL (
         SELECT version, content_hash, deleted, own_version, drawn, source FROM ${documents} WHERE base = $1 AND document_id = i.id
         LIMIT 1
       ) AS d ON true
       WHERE d.content_hash IS DISTINCT FROM i.hash OR d.deleted OR d.source <> $7 OR ${outranks("i", "$6")}`,
      [
        base,
        incoming.map(({ id }) => id),
        incoming.map(({ version }) => version),
        incoming.map(({ contentHash }) => contentHash),
        incoming.map(isOwn),
        runId,
        source,
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
    { base, runId, source }: Pick<Parameters<Documents["intake"]>[0], "base" | "runId" | "source">,
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

  /** The caller gave the content that is stored a higher version: what comes late between the two must not replace it. */
  const keep = async (
    tx: SqlTransaction,
    { base, runId, source }: Pick<Parameters<Documents["intake"]>[0], "base" | "runId" | "source">,
    kept: readonly IncomingDocument[],
  ) => {
    const result = await tx.query(
      `UPDATE ${documents} AS t SET version = k.after, own_version = true, source = $5,
         drawn = greatest(t.drawn, (SELECT version FROM ${schema}.runs WHERE id = $6))
       FROM (
         SELECT d.document_id, d.version AS before, i.version AS after
         FROM unnest($2::text[], $3::bigint[], $4::bytea[], $7::boolean[]) AS i (id, version, hash, own)
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
  const move = (tx: SqlTransaction, base: string, source: string, moved: readonly IncomingDocument[]) =>
    tx.query(
      `UPDATE ${documents} SET source = $3 WHERE base = $1 AND document_id = ANY ($2::text[]) AND source <> $3 AND NOT deleted`,
      [base, moved.map(({ id }) => id), source],
    );

  return {
    intake: async (call) => {
      const { base, runId, source, documents: incoming } = call;
      for (const document of incoming) checkStorable(document);
      if (incoming.length === 0) return { created: 0, changed: 0, unchanged: 0, superseded: 0 };
      return driver.transaction(async (tx) => {
        const decisions = await decide(tx, call);
        const decided = (wanted: Decision) =>
          decisions.filter(({ decision }) => decision === wanted).map(({ position }) => incoming[position]!);
        const [created, changed] = [decided("created"), decided("changed")];
        const [kept, moved] = [decided("kept"), decided("moved")];
        if (moved.length > 0) await move(tx, base, source, moved);
        if (kept.length > 0) await keep(tx, call, kept);
        if (created.length + changed.length > 0) {
          await store(tx, call, [...created, ...changed]);
          const otherLine = decisions.filter((row) => row.other_line && row.decision === "changed");
          if (otherLine.length > 0)
            await forgetCommitted(
              tx,
              schema,
              base,
              otherLine.map(({ position }) => incoming[position]!.id),
            );
          const documentIds = [...created, ...changed].map(({ id }) => id);
          await queueChanges(tx, schema, { base, documentIds, exceptOfRun: runId });
        }
        return {
          created: created.length,
          changed: changed.length,
          unchanged: incoming.length - decisions.length + moved.length + kept.length,
          superseded: decided("superseded").length,
        };
      });
    },
  };
}
