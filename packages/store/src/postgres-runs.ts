import { z } from "zod";
import { createPostgresShards } from "./postgres-shards.js";
import { createPostgresSpend } from "./postgres-spend.js";
import type { PostgresWakeups } from "./postgres-wakeups.js";
import { RUN_STATES, type NewRun, type Run, type Runs, type TextFailure } from "./runs.js";
import type { SqlDriver, SqlSession } from "./sql-driver.js";
import { parseOneRow, parseRow, parseRows } from "./sql-rows.js";

/** Stands in the key of a failure for a whole document. */
const WHOLE_DOCUMENT = -1;

const Count = z.bigint().transform(Number);

const RunRow = z
  .object({
    id: z.string(),
    base: z.string(),
    namespace_id: z.int(),
    namespace: z.string(),
    profile: z.string(),
    source: z.string(),
    state: z.enum(RUN_STATES),
    reason: z.string(),
    version: z.bigint(),
    partial: z.boolean(),
    accept_failures: z.int(),
    intake_done: z.boolean(),
    created_at: z.date(),
    updated_at: z.date(),
    documents_total: Count,
    documents_pending: Count,
    documents: Count,
    chunks: Count,
    embedded: Count,
    skipped: Count,
    failed: Count,
    tokens: Count,
    failures: Count,
    max_cost_usd: z.number().nullable(),
    spent_tokens: Count,
    spent_usd: z.number().nullable(),
    reserved_tokens: Count,
    reserved_usd: z.number(),
    shards: Count,
    shards_done: Count,
  })
  .transform((row): Run => ({
    id: row.id,
    base: row.base,
    namespaceId: row.namespace_id,
    namespace: row.namespace,
    profile: row.profile,
    source: row.source,
    state: row.state,
    reason: row.reason,
    version: row.version,
    partial: row.partial,
    acceptFailures: row.accept_failures,
    intakeDone: row.intake_done,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    documentsTotal: row.documents_total,
    documentsPending: row.documents_pending,
    counters: {
      documents: row.documents,
      chunks: row.chunks,
      embedded: row.embedded,
      skipped: row.skipped,
      failed: row.failed,
      tokens: row.tokens,
    },
    failures: row.failures,
    spend: {
      tokens: row.spent_tokens,
      costUsd: row.spent_usd,
      reserved: { tokens: row.reserved_tokens, costUsd: row.reserved_usd },
      maxCostUsd: row.max_cost_usd,
    },
    shards: { total: row.shards, done: row.shards_done },
  }));

const FailureRow = z.object({ document_id: z.string(), ordinal: z.int(), code: z.string(), reason: z.string() });
const StateRow = z.object({ state: z.enum(RUN_STATES) });
export async function upsertFailures(
  session: SqlSession,
  schema: string,
  runId: string,
  failures: readonly TextFailure[],
): Promise<void> {
  // one statement cannot touch a row twice
  const last = new Map(failures.map((failure) => [JSON.stringify([failure.documentId, failure.ordinal]), failure]));
  const rows = [...last.values()];
  await session.query(
    `INSERT INTO ${schema}.failures (run_id, document_id, ordinal, code, reason)
     SELECT $1, document_id, ordinal, code, reason
     FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[]) AS f (document_id, ordinal, code, reason)
     ON CONFLICT (run_id, document_id, ordinal) DO UPDATE SET code = excluded.code, reason = excluded.reason`,
    [
      runId,
      rows.map(({ documentId }) => documentId),
      rows.map(({ ordinal }) => ordinal ?? WHOLE_DOCUMENT),
      rows.map(({ code }) => code),
      rows.map(({ reason }) => reason),
    ],
  );
}

export function createPostgresRuns(driver: SqlDriver, schema: string, wakeups: Pick<PostgresWakeups, "sender">): Runs {
  const select = `
    SELECT r.id, r.base, r.namespace_id, n.namespace, r.profile, r.source, r.state, r.reason, r.version, r.partial, r.accept_failures, r.intake_done, r.created_at,
      r.updated_at, r.documents_total, r.documents_pending, s.*, p.max_cost_usd, p.spent_tokens, p.spent_usd, p.reserved_tokens, p.reserved_usd, (SELECT count(*) FROM ${schema}.failures f WHERE f.run_id = r.id) AS failures
    FROM ${schema}.runs r JOIN ${schema}.namespaces n ON n.id = r.namespace_id JOIN ${schema}.run_spend p ON p.run_id = r.id
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(documents), 0)::bigint AS documents, coalesce(sum(chunks), 0)::bigint AS chunks,
        coalesce(sum(embedded), 0)::bigint AS embedded, coalesce(sum(skipped), 0)::bigint AS skipped,
        coalesce(sum(failed), 0)::bigint AS failed, coalesce(sum(tokens), 0)::bigint AS tokens,
        count(*) AS shards, count(*) FILTER (WHERE done) AS shards_done
      FROM ${schema}.shards WHERE run_id = r.id
    ) AS s`;

  const get = async (session: SqlSession, id: string) =>
    parseRow(RunRow, await session.query(`${select} WHERE r.id = $1`, [id]));

  const insert = async (tx: SqlSession, run: NewRun): Promise<Run> => {
    await tx.query(
      `INSERT INTO ${schema}.runs (id, base, namespace_id, profile, source, state, version, partial) VALUES ($1, $2, $3, $4, $5, 'plan', $6, $7)`,
      [run.id, run.base, run.namespaceId, run.profile, run.source, run.version, run.partial === true],
    );
    await tx.query(`INSERT INTO ${schema}.run_spend (run_id) VALUES ($1)`, [run.id]);
    return parseOneRow(RunRow, await tx.query(`${select} WHERE r.id = $1`, [run.id]));
  };

  return {
    create: (run) => driver.transaction((tx) => insert(tx, run)),

    createAlone: (run, unless) =>
      driver.transaction(async (tx) => {
        // the lock is a statement of its own: the next one sees what whoever held it before has made
        await tx.query(`SELECT FROM ${schema}.namespaces WHERE id = $1 FOR NO KEY UPDATE`, [run.namespaceId]);
        const { rows } = await tx.query(
          `SELECT FROM ${schema}.runs WHERE namespace_id = $1 AND state = ANY ($2::text[]) LIMIT 1`,
          [run.namespaceId, unless],
        );
        return rows.length > 0 ? null : insert(tx, run);
      }),

    get: (id) => get(driver, id),

    state: async (id) =>
      parseRow(StateRow, await driver.query(`SELECT state FROM ${schema}.runs WHERE id = $1`, [id]))?.state ?? null,

    list: async (filter = {}) =>
      parseRows(
        RunRow,
        await driver.query(
          `${select} WHERE ($1::text IS NULL OR r.base = $1) AND ($2::text[] IS NULL OR r.state = ANY ($2)) ORDER BY r.sequence DESC`,
          [filter.base ?? null, filter.states ?? null],
        ),
      ),

    transition: async (id, { from, to, reason }) => {
      const { affected } = await driver.query(
        `UPDATE ${schema}.runs SET state = $3, reason = $4, updated_at = now() WHERE id = $1 AND state = ANY ($2::text[])`,
        [id, from, to, reason ?? ""],
      );
      return affected === 1;
    },

    acceptFailures: async (id, texts) =>
      void (await driver.query(`UPDATE ${schema}.runs SET accept_failures = $2::integer WHERE id = $1`, [id, texts])),

    addToScope: async (id, documentIds) =>
      void (await driver.query(
        `INSERT INTO ${schema}.run_scope (run_id, document_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`,
        [id, documentIds],
      )),

    ...createPostgresShards(driver, schema, wakeups),
    ...createPostgresSpend(driver, schema),

    recordFailures: async (id, failures) => {
      if (failures.length > 0) await upsertFailures(driver, schema, id, failures);
    },

    failures: async (id, limit) => {
      const result = await driver.query(
        `SELECT document_id, ordinal, code, reason FROM ${schema}.failures WHERE run_id = $1
         ORDER BY document_id, ordinal LIMIT $2::bigint`,
        [id, limit],
      );
      return parseRows(FailureRow, result).map(({ document_id, ordinal, code, reason }) => ({
        documentId: document_id,
        ordinal: ordinal === WHOLE_DOCUMENT ? null : ordinal,
        code,
        reason,
      }));
    },
  };
}
