import { z } from "zod";
import { BinaryCopy, rowBytes } from "./binary-copy.js";
import type { Documents, IncomingDocument } from "./documents.js";
import { queueChanges } from "./postgres-changes.js";
import { DRAWN, forgetCommitted } from "./postgres-live-documents.js";
import type { SqlDriver, SqlTransaction } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { checkStorable, checkStorableId, metadataJson } from "./stored-text.js";

const HASH_BYTES = 32;

const StoredRow = z.object({ hashes: z.instanceof(Uint8Array), moved: z.boolean() });
const StretchRow = z.object({
  ids: z.array(z.string()),
  hashes: z.instanceof(Uint8Array),
  elsewhere: z.array(z.string()),
});
const DecisionRow = z.object({
  position: z.int(),
  decision: z.enum(["created", "changed", "superseded"]),
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
    copy.bool(document.ownVersion === true);
  }
  return copy.finish();
}

const isHashAt = (hashes: Uint8Array, place: number, { contentHash }: IncomingDocument): boolean => {
  const stored = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength);
  return stored.compare(contentHash, 0, HASH_BYTES, place * HASH_BYTES, (place + 1) * HASH_BYTES) === 0;
};

const SURROGATE = /[\ud800-\udfff]/;

/** In order of id, as the database has it: bytewise, which is that of UTF-16 units where there are no surrogates. */
const isStretch = (documents: readonly IncomingDocument[]): boolean =>
  documents.every(({ id }, place) => (place === 0 || documents[place - 1]!.id < id) && !SURROGATE.test(id));

/** `Documents.intake`. */
export function createIntake(driver: SqlDriver, schema: string): Pick<Documents, "intake"> {
  const documents = `${schema}.documents`;

  /**
   * Which of these are not stored as they come, and whether one that is came from another source. Only a guess that spares work: what differs is decided
   * again, under locks.
   */
  const compare = async (base: string, source: string, incoming: readonly IncomingDocument[]) =>
    (isStretch(incoming) ? await compareStretch(base, source, incoming) : null) ??
    (await compareEach(base, source, incoming));

  /** A look into the key for each. The hashes come back as one value in the order of the ids: a row for each would cost more than reading them. */
  const compareEach = async (base: string, source: string, incoming: readonly IncomingDocument[]) => {
    const result = await driver.query(
      `SELECT string_agg(coalesce(d.content_hash, $4::bytea), '' ORDER BY i.position) AS hashes, coalesce(bool_or(d.source <> $3), false) AS moved
       FROM unnest($2::text[]) WITH ORDINALITY AS i (id, position)
       LEFT JOIN LATERAL (
         SELECT content_hash, source FROM ${documents} WHERE base = $1 AND document_id = i.id AND NOT deleted
         LIMIT 1 -- one look into the key for each: a thousand ids at once are taken for a reason to read the whole table
       ) AS d ON true`,
      [base, incoming.map(({ id }) => id), source, new Uint8Array(HASH_BYTES)],
    );
    const { hashes, moved } = parseOneRow(StoredRow, result);
    return { differing: incoming.filter((document, place) => !isHashAt(hashes, place, document)), moved };
  };

  /**
   * One walk along the key from the first id to the last, which takes a fifth of the time; null when other documents stand between them in such numbers
   * that it would be a long one.
   */
  const compareStretch = async (base: string, source: string, incoming: readonly IncomingDocument[]) => {
    const most = 2 * incoming.length;
    const result = await driver.query(
      `SELECT coalesce(json_agg(document_id), '[]') AS ids, coalesce(string_agg(content_hash, ''), '') AS hashes,
         coalesce(json_agg(document_id) FILTER (WHERE source <> $4), '[]') AS elsewhere
       FROM (
         SELECT document_id, content_hash, source FROM ${documents}
         WHERE base = $1 AND document_id >= $2 AND document_id <= $3 AND NOT deleted ORDER BY document_id LIMIT $5::integer
       ) AS stretch`,
      [base, incoming[0]!.id, incoming.at(-1)!.id, source, most],
    );
    const { ids, hashes, elsewhere } = parseOneRow(StretchRow, result);
    if (ids.length === most) return null;
    let place = 0;
    const differing = incoming.filter((document) => {
      while (place < ids.length && ids[place]! < document.id) place++;
      return ids[place] !== document.id || !isHashAt(hashes, place, document);
    });
    const came = new Set(elsewhere.length === 0 ? [] : incoming.map(({ id }) => id));
    return { differing, moved: elsewhere.some((id) => came.has(id)) };
  };

  /**
   * Ids, versions and hashes decide; texts follow only for what is new or changed. What is unchanged by now is not among the rows. On one line of
   * versions the newer one wins; across the lines what was drawn does: the run's version, and what a live write drew.
   */
  const decide = async (tx: SqlTransaction, base: string, runId: string, incoming: readonly IncomingDocument[]) => {
    const result = await tx.query(
      `SELECT position::integer - 1 AS position,
         CASE WHEN d.own_version = i.own AND (d.version > i.version OR i.own AND NOT d.deleted AND d.version = i.version)
             OR d.own_version <> i.own AND ${DRAWN} > (SELECT version FROM ${schema}.runs WHERE id = $6)
           THEN 'superseded' WHEN d.deleted IS DISTINCT FROM false THEN 'created' ELSE 'changed' END AS decision,
         coalesce(NOT d.deleted AND d.own_version <> i.own, false) AS other_line
       FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::boolean[]) WITH ORDINALITY AS i (id, version, hash, own, position)
       LEFT JOIN LATERAL (
         SELECT version, content_hash, deleted, own_version, drawn FROM ${documents} WHERE base = $1 AND document_id = i.id
         LIMIT 1
       ) AS d ON true
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

  return {
    intake: async ({ base, runId, source, documents: incoming }) => {
      for (const { id } of incoming) checkStorableId(id);
      const none = { created: 0, changed: 0, unchanged: incoming.length, superseded: 0 };
      if (incoming.length === 0) return none;
      const { differing, moved } = await compare(base, source, incoming);
      for (const document of differing) checkStorable(document); // the rest is what was stored
      if (differing.length === 0 && !moved) return none;
      return driver.transaction(async (tx) => {
        const [decisions] = await Promise.all([
          decide(tx, base, runId, differing),
          // a folder that was moved takes its documents with it
          moved
            ? tx.query(
                `UPDATE ${documents} SET source = $3 WHERE base = $1 AND document_id = ANY ($2::text[]) AND source <> $3 AND NOT deleted`,
                [base, incoming.map(({ id }) => id), source],
              )
            : null,
        ]);
        const toStore = decisions
          .filter(({ decision }) => decision !== "superseded")
          .map(({ position }) => differing[position]!);
        if (toStore.length > 0) {
          await store(tx, { base, runId, source }, toStore);
          const otherLine = decisions.filter((row) => row.other_line && row.decision === "changed");
          if (otherLine.length > 0)
            await forgetCommitted(
              tx,
              schema,
              base,
              otherLine.map(({ position }) => differing[position]!.id),
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
  };
}
