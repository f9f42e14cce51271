import { z } from "zod";
import type { Changes } from "./changes.js";
import { committedName } from "./namespace-table.js";
import { createPostgresLiveSpend } from "./postgres-live-spend.js";
import type { SqlDriver, SqlSession } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";

const QueuedRow = z.object({ document_id: z.string(), version: z.bigint(), attempts: z.int() });
const SetAsideRow = z.object({
  document_id: z.string(),
  version: z.bigint(),
  ordinals: z.array(z.int()),
  code: z.string(),
  reason: z.string(),
});
const CountsRow = z.object({ namespace_id: z.int(), queued: z.int(), set_aside: z.int(), oldest_age_ms: z.number() });
const StateRow = z.object({ document_id: z.string(), state: z.enum(["queued", "set_aside"]) });

const FREE = "code IS NULL AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())";

/** Holds for the row `n` of every namespace but the one that this run's shards will cover. */
export const notOfRun = (schema: string, runId: string) =>
  `n.id IS DISTINCT FROM (
     SELECT namespace_id FROM ${schema}.runs WHERE id = ${runId} AND NOT intake_done AND state IN ('plan', 'fill', 'paused') FOR SHARE)`;

/**
 * Queues documents as they stand for every namespace of the base that is filling or ready, as part of the transaction that changed them. Two
 * statements: the lock comes first, so that a namespace which is being made now is either seen, or made after this transaction and filled with it.
 * @param queue.exceptOfRun the run whose shards will cover its own namespace: it is not over, and they are cut after this transaction
 */
export async function queueChanges(
  tx: SqlSession,
  schema: string,
  queue: { base: string; documentIds: readonly string[]; exceptOfRun?: string },
): Promise<void> {
  await Promise.all([
    lockBase(tx, schema, queue.base),
    tx.query(
      `INSERT INTO ${schema}.changes AS c (namespace_id, document_id, version)
       SELECT n.id, d.document_id, d.version FROM ${schema}.namespaces n CROSS JOIN ${schema}.documents d
       WHERE n.base = $1 AND n.state <> 'retired' AND ${notOfRun(schema, "$3")} AND d.base = $1 AND d.document_id = ANY ($2::text[]) AND NOT d.deleted
       ORDER BY n.id, d.document_id FOR SHARE OF n -- not retired before this transaction ends: its rows would wait for ever
       ON CONFLICT (namespace_id, document_id) DO UPDATE SET version = excluded.version, claimed_until = NULL, attempts = 0,
         code = NULL, reason = NULL, ordinals = NULL, queued_at = CASE WHEN c.code IS NULL THEN c.queued_at ELSE excluded.queued_at END`,
      [queue.base, queue.documentIds, queue.exceptOfRun ?? null],
    ),
  ]);
}

const lockBase = (tx: SqlSession, schema: string, base: string) =>
  tx.query(`SELECT FROM ${schema}.bases WHERE base = $1 FOR SHARE`, [base]);

/** A base that never had a namespace has no row to lock: then no namespace at all can be made until this transaction is over. */
export async function lockNewBase(tx: SqlSession, schema: string, base: string): Promise<void> {
  const { rows } = await lockBase(tx, schema, base);
  if (rows.length === 0) await tx.exec(`LOCK TABLE ${schema}.bases IN SHARE MODE`);
}

export function createPostgresChanges(driver: SqlDriver, schema: string): Changes {
  const changes = `${schema}.changes`;
  return {
    ...createPostgresLiveSpend(driver, schema),

    claim: async ({ namespaceId, limit, claimMs, documentIds }) =>
      parseRows(
        QueuedRow,
        await driver.query(
          `WITH claimed AS (
             UPDATE ${changes} SET claimed_until = clock_timestamp() + $3::double precision * interval '1 millisecond'
             WHERE namespace_id = $1 AND document_id = ANY (ARRAY (
               SELECT document_id FROM ${changes}
               WHERE namespace_id = $1 AND ${FREE} AND ($4::text[] IS NULL OR document_id = ANY ($4::text[]))
               ORDER BY queued_at, document_id LIMIT $2::bigint FOR UPDATE SKIP LOCKED))
             RETURNING document_id, version, attempts, queued_at
           ) SELECT document_id, version, attempts FROM claimed ORDER BY queued_at, document_id`,
          [namespaceId, limit, claimMs, documentIds ?? null],
        ),
      ).map(({ document_id, version, attempts }) => ({ documentId: document_id, version, attempts })),

    postpone: async ({ namespaceId, changes: postponed, waitMs }) =>
      void (await driver.query(
        `UPDATE ${changes} AS c SET attempts = attempts + 1, claimed_until = clock_timestamp() + $4::double precision * interval '1 millisecond'
         FROM unnest($2::text[], $3::bigint[]) AS p (id, version)
         WHERE namespace_id = $1 AND document_id = p.id AND c.version = p.version AND code IS NULL`,
        [namespaceId, postponed.map(({ documentId }) => documentId), postponed.map(({ version }) => version), waitMs],
      )),

    giveUp: async ({ namespaceId, change: { documentId, version }, code, reason }) =>
      void (await driver.query(
        `UPDATE ${changes} SET code = $4, reason = $5, ordinals = '{}', claimed_until = NULL
         WHERE namespace_id = $1 AND document_id = $2 AND version = $3::bigint AND code IS NULL`,
        [namespaceId, documentId, version, code, reason],
      )),

    setAside: async (namespaceId, limit) =>
      parseRows(
        SetAsideRow,
        await driver.query(
          `SELECT document_id, version, ordinals, code, reason FROM ${changes} WHERE namespace_id = $1 AND code IS NOT NULL
           ORDER BY document_id LIMIT $2::bigint`,
          [namespaceId, limit],
        ),
      ).map(({ document_id, ...change }) => ({ documentId: document_id, ...change })),

    retry: async (namespaceId) => {
      // shown without the refused texts, so it counts as committed: forgotten, it is pending again
      return driver.transaction(async (tx) => {
        await tx.query(
          `DELETE FROM ${committedName(schema, z.int().parse(namespaceId))} WHERE document_id IN (
             SELECT document_id FROM ${changes} WHERE namespace_id = $1 AND code IS NOT NULL)`,
          [namespaceId],
        );
        const { affected } = await tx.query(
          `UPDATE ${changes} SET code = NULL, reason = NULL, ordinals = NULL, attempts = 0, claimed_until = NULL,
             queued_at = clock_timestamp() WHERE namespace_id = $1 AND code IS NOT NULL`,
          [namespaceId],
        );
        return affected;
      });
    },

    counts: async () =>
      parseRows(
        CountsRow,
        await driver.query(
          `SELECT namespace_id, count(*) FILTER (WHERE code IS NULL)::integer AS queued, count(code)::integer AS set_aside,
             coalesce(extract(epoch FROM clock_timestamp() - min(queued_at) FILTER (WHERE code IS NULL)) * 1000, 0)::double precision AS oldest_age_ms
           FROM ${changes} GROUP BY namespace_id ORDER BY namespace_id`,
        ),
      ).map(({ namespace_id, queued, set_aside, oldest_age_ms }) => ({
        namespaceId: namespace_id,
        queued,
        setAside: set_aside,
        oldestAgeMs: Math.max(0, oldest_age_ms),
      })),

    find: async (namespaceId, documentIds) =>
      parseRows(
        StateRow,
        await driver.query(
          `SELECT document_id, CASE WHEN code IS NULL THEN 'queued' ELSE 'set_aside' END AS state FROM ${changes}
           WHERE namespace_id = $1 AND document_id = ANY ($2::text[]) ORDER BY document_id`,
          [namespaceId, documentIds],
        ),
      ).map(({ document_id, state }) => ({ documentId: document_id, state })),

    queuePending: async (namespaceId) => {
      const committed = committedName(schema, z.int().parse(namespaceId));
      const { affected } = await driver.query(
        `INSERT INTO ${changes} (namespace_id, document_id, version)
         SELECT n.id, d.document_id, d.version FROM ${schema}.namespaces n JOIN ${schema}.documents d USING (base)
         LEFT JOIN ${committed} c USING (document_id)
         WHERE n.id = $1 AND n.state <> 'retired' AND NOT d.deleted AND c.version IS DISTINCT FROM d.version FOR SHARE OF n
         ON CONFLICT (namespace_id, document_id) DO NOTHING`,
        [namespaceId],
      );
      return affected;
    },
  };
}
