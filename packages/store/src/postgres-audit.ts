import { createHash } from "node:crypto";
import { canonicalJson, EmbError } from "@emb/manifest";
import { z } from "zod";
import type { Audit, AuditHead, AuditRow } from "./audit.js";
import type { SqlDriver, SqlResult, SqlSession } from "./sql-driver.js";
import { parseOneRow, parseRow, parseRows } from "./sql-rows.js";

const NO_ROWS = "0".repeat(64);
const PAGE = 1_000;

const Entry = z.object({
  action: z.string(),
  actor: z.string(),
  at: z.iso.datetime(),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

const Sequence = z.bigint().transform(Number);
const AuditTableRow = z.object({ sequence: Sequence, entry: z.string(), hash: z.string() });
const HeadRow = z
  .object({ row_count: Sequence, hash: z.string() })
  .transform(({ row_count, hash }): AuditHead => ({ rows: row_count, head: hash }));
const Lowest = z.object({ lowest: Sequence.nullable() });
const ClockRow = z.object({ at: z.date() });

/** The same sum as in `append`'s statement. */
const chain = (before: string, entry: string): string =>
  createHash("sha256").update(`${before}\n${entry}`, "utf8").digest("hex");

function parseEntry(row: z.infer<typeof AuditTableRow>): AuditRow {
  let written: unknown;
  try {
    written = JSON.parse(row.entry);
  } catch (cause) {
    throw broken(row.sequence, cause);
  }
  const entry = Entry.safeParse(written);
  if (!entry.success) throw broken(row.sequence, entry.error);
  const { at, ...rest } = entry.data;
  return { ...rest, at: new Date(at), sequence: row.sequence, hash: row.hash };
}

const broken = (sequence: number, cause: unknown) =>
  new EmbError("EMB_AUDIT_BROKEN", `row ${sequence} of the audit log cannot be read`, {
    hint: "Run `emb audit verify`, and compare with the head in your logs.",
    context: { sequence },
    cause,
  });

function parseHead(result: SqlResult): AuditHead {
  const head = parseRow(HeadRow, result);
  if (head !== null) return head;
  throw new EmbError("EMB_AUDIT_BROKEN", "the head row of the audit log is missing", {
    hint: "Run `emb audit verify`, and find out who wrote to the database.",
  });
}

export function createPostgresAudit(driver: SqlDriver, schema: string): Audit {
  const headSql = `SELECT row_count, hash FROM ${schema}.audit_head`;

  return {
    append: (entry) =>
      driver.transaction(async (tx) => {
        const { at } = parseOneRow(ClockRow, await tx.query(`SELECT clock_timestamp() AS at`));
        const text = canonicalJson({
          action: entry.action,
          actor: entry.actor,
          at: at.toISOString(),
          detail: entry.detail,
        });
        const result = await tx.query(
          `WITH head AS (
             UPDATE ${schema}.audit_head
             SET row_count = row_count + 1, hash = encode(sha256(convert_to(hash || E'\\n' || $1::text, 'UTF8')), 'hex')
             RETURNING row_count, hash
           ), appended AS (
             INSERT INTO ${schema}.audit (sequence, entry, hash) SELECT row_count, $1::text, hash FROM head
           )
           SELECT row_count, hash FROM head`,
          [text],
        );
        return parseHead(result);
      }),

    head: async () => parseHead(await driver.query(headSql)),

    list: async ({ limit, action }) => {
      const result = await driver.query(
        `SELECT sequence, entry, hash FROM ${schema}.audit WHERE $2::text IS NULL OR entry::json ->> 'action' = $2
         ORDER BY sequence DESC LIMIT $1::bigint`,
        [limit, action ?? null],
      );
      return parseRows(AuditTableRow, result).map(parseEntry);
    },

    read: ({ after, limit }) => readRows(driver, schema, { after, limit }),

    // one transaction, so that no row is appended between the pages and the head
    verify: (expectHead) =>
      driver.transaction(async (tx) => {
        await tx.exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        const kept = parseRow(HeadRow, await tx.query(headSql));
        const head = kept ?? { rows: 0, head: NO_ROWS };
        const seen = await walk(tx, schema, expectHead);
        const whole = kept !== null && head.rows === seen.rows && head.head === seen.hash && seen.expectedFound;
        const firstBad = seen.firstBad ?? (whole ? null : Math.min(head.rows, seen.rows) + 1);
        return { ...head, ok: firstBad === null, firstBad };
      }),
  };
}

const readRows = async (session: SqlSession, schema: string, { after, limit }: { after: number; limit: number }) =>
  parseRows(
    AuditTableRow,
    await session.query(
      `SELECT sequence, entry, hash FROM ${schema}.audit WHERE sequence > $1::bigint ORDER BY sequence LIMIT $2::integer`,
      [after, limit],
    ),
  );

/** Recomputes the chain, up to the first row that does not follow from the one before. */
async function walk(tx: SqlSession, schema: string, expectHead: string | undefined) {
  let hash = NO_ROWS;
  let rows = 0;
  let expectedFound = expectHead === undefined || expectHead === NO_ROWS;
  const before = parseOneRow(
    Lowest,
    await tx.query(`SELECT min(sequence) AS lowest FROM ${schema}.audit WHERE sequence < 1`),
  );
  if (before.lowest !== null) return { firstBad: before.lowest, rows, hash, expectedFound };
  for (;;) {
    const page = await readRows(tx, schema, { after: rows, limit: PAGE });
    for (const row of page) {
      const expected = chain(hash, row.entry);
      if (row.sequence !== rows + 1 || row.hash !== expected) return { firstBad: rows + 1, rows, hash, expectedFound };
      hash = expected;
      rows = row.sequence;
      expectedFound ||= hash === expectHead;
    }
    if (page.length < PAGE) return { firstBad: null, rows, hash, expectedFound };
  }
}
