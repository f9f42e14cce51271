import { z } from "zod";
import type { Documents, PendingDocument } from "./documents.js";
import { committedName, isCommitted } from "./namespace-table.js";
import { createIntake } from "./postgres-intake.js";
import { removeFromNamespaces } from "./postgres-committed.js";
import { createComparison } from "./postgres-comparison.js";
import { createLiveDocuments } from "./postgres-live-documents.js";
import type { SqlDriver, SqlSession } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";

const VersionRow = z.object({ version: z.bigint() });
const CountsRow = z.object({ live: z.int(), deleted: z.int() });
const TombstonedRow = z.object({ document_id: z.string() });
const IdsRow = z.object({ ids: z.array(z.string()) });

/** Ids that a sweep looks at in one go. */
const SWEEP_PAGE = 10_000;

/** Holds for the row `d` of a live document of the source that was written before the version was drawn. */
const older = (source: string, version: string) =>
  `d.source = ${source} AND NOT d.deleted AND CASE WHEN d.own_version THEN coalesce(d.drawn, 0) ELSE d.version END < ${version}::bigint`;

const TextRow = z.object({
  id: z.string(),
  title: z.string().nullable(),
  format: z.enum(["markdown", "text"]),
  text: z.string(),
  version: z.bigint(),
});
const PendingRow = TextRow.extend({ contentHash: z.instanceof(Uint8Array).nullable() });
const DocumentRow = TextRow.extend({
  metadata: z.record(z.string(), z.unknown()),
  contentHash: z.instanceof(Uint8Array),
  source: z.string(),
  deleted: z.boolean(),
});

const TEXT_COLUMNS = `document_id AS id, title, format, body AS text, version`;
const PENDING_COLUMNS = `${TEXT_COLUMNS}, CASE WHEN own_version THEN content_hash END AS "contentHash"`;
const DOCUMENT_COLUMNS = `${TEXT_COLUMNS}, metadata, content_hash AS "contentHash", source, deleted`;

interface Page {
  readonly base: string;
  readonly after: string | null;
  readonly through: string | null;
  readonly limit: number;
  /** It ends with the document that passes this sum of text bytes. */
  readonly maxBytes?: number;
  /** Only these. */
  readonly ids?: readonly string[];
  readonly where?: string;
}

/** A page of live documents in order of id. @param page.where SQL that holds for the row `d` of a wanted document */
async function readPage<T>(
  session: SqlSession,
  schema: string,
  page: Page,
  columns: string,
  row: z.ZodType<T>,
): Promise<readonly T[]> {
  const result = await session.query(
    `SELECT ${columns} FROM (
       SELECT *, sum(octet_length(body)) OVER (ORDER BY document_id ROWS UNBOUNDED PRECEDING) - octet_length(body) AS bytes_before
       FROM (
         SELECT d.* FROM ${schema}.documents d
         WHERE d.base = $1 AND NOT d.deleted AND ($2::text IS NULL OR d.document_id > $2) AND ($3::text IS NULL OR d.document_id <= $3)
           AND ($6::text[] IS NULL OR d.document_id = ANY ($6))
           ${page.where === undefined ? "" : `AND ${page.where}`}
         ORDER BY d.document_id LIMIT $4::bigint
       ) AS page
     ) AS counted
     WHERE bytes_before < coalesce($5::bigint, bytes_before + 1)
     ORDER BY document_id`,
    [page.base, page.after, page.through, page.limit, page.maxBytes ?? null, page.ids ?? null],
  );
  return parseRows(row, result);
}

/** Documents that a namespace does not show in their current version. @param committed the namespace's table of committed versions */
export const readPending = (
  session: SqlSession,
  schema: string,
  committed: string,
  page: Omit<Page, "where">,
): Promise<readonly PendingDocument[]> =>
  readPage(session, schema, { ...page, where: `NOT ${isCommitted(committed)}` }, PENDING_COLUMNS, PendingRow);

export function createPostgresDocuments(driver: SqlDriver, schema: string): Documents {
  const documents = `${schema}.documents`;

  const remember = (session: SqlSession, runId: string, ids: readonly string[]) =>
    session.query(`INSERT INTO ${schema}.seen (run_id, document_ids) VALUES ($1, $2::text[])`, [runId, ids]);

  /** Documents of the source that the run did not see. */
  const readUnseen = async (tx: SqlSession, sweep: Parameters<Documents["sweep"]>[0]) => {
    const { base, runId, source, version, saw, walked } = sweep;
    const page = async (where: string, ids: readonly string[] | string): Promise<readonly string[]> => {
      const result = await tx.query(
        `SELECT coalesce(json_agg(document_id), '[]') AS ids FROM (
           SELECT d.document_id FROM ${documents} d
           WHERE ${older("$2", "$3")} AND d.base = $1 AND d.document_id ${where} AND NOT EXISTS (
             SELECT FROM (SELECT unnest(document_ids) AS id FROM ${schema}.seen WHERE run_id = $5) AS s WHERE s.id = d.document_id)
           ORDER BY d.document_id LIMIT ${SWEEP_PAGE}) AS page`,
        [base, source, version, ids, runId],
      );
      return parseOneRow(IdsRow, result).ids;
    };
    const unseen: string[] = [];
    const found = (walked?.unseen ?? []).filter((id) => !saw(id));
    for (let place = 0; place < found.length; place += SWEEP_PAGE)
      unseen.push(...(await page("= ANY ($4::text[])", found.slice(place, place + SWEEP_PAGE))));
    for (let after: string | undefined = walked?.through ?? ""; after !== undefined;) {
      const ids: readonly string[] = await page("> $4::text", after);
      for (const id of ids) if (!saw(id)) unseen.push(id);
      after = ids.length < SWEEP_PAGE ? undefined : ids.at(-1);
    }
    return unseen;
  };

  return {
    nextVersion: async () =>
      parseOneRow(VersionRow, await driver.query(`SELECT nextval('${schema}.document_version') AS version`)).version,

    ...createComparison(driver, schema),
    ...createIntake(driver, schema),

    markSeen: async ({ runId, documentIds }) => {
      if (documentIds.length > 0) await remember(driver, runId, documentIds);
    },

    sweep: (sweep) =>
      driver.transaction(async (tx) => {
        const { base, runId, source, version } = sweep;
        const gone = version > 0n ? await readUnseen(tx, sweep) : [];
        await tx.query(`DELETE FROM ${schema}.seen WHERE run_id = $1`, [runId]);
        if (gone.length === 0) return 0;
        // the row may have changed since it was read
        const result = await tx.query(
          `UPDATE ${documents} AS d SET deleted = true, version = CASE WHEN own_version THEN d.version ELSE $3 END,
             title = NULL, body = '', metadata = '{}'
           WHERE d.base = $1 AND d.document_id = ANY ($4::text[]) AND ${older("$2", "$3")} RETURNING d.document_id`,
          [base, source, version, gone],
        );
        const tombstoned = parseRows(TombstonedRow, result).map(({ document_id }) => document_id);
        await removeFromNamespaces(tx, schema, base, tombstoned);
        return tombstoned.length;
      }),

    read: ({ committedIn, ...page }) =>
      readPage(
        driver,
        schema,
        { ...page, ...(committedIn !== undefined && { where: isCommitted(committedName(schema, committedIn)) }) },
        DOCUMENT_COLUMNS,
        DocumentRow,
      ),

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
