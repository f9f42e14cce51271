import { EmbError } from "@emb/manifest";
import { z } from "zod";
import { committedName } from "./namespace-table.js";
import type { PostgresWakeups } from "./postgres-wakeups.js";
import { inScope } from "./run-scope.js";
import type { Lease, Runs, ShardCounters } from "./runs.js";
import type { SqlDriver, SqlSession, SqlValue } from "./sql-driver.js";
import { parseOneRow, parseRow } from "./sql-rows.js";
import { unknownRun } from "./unknown-run.js";

const LeaseRow = z.object({
  shard: z.int(),
  fencing_token: z.bigint(),
  after_id: z.string().nullable(),
  through_id: z.string().nullable(),
  cursor_id: z.string().nullable(),
  document_ids: z.array(z.string()).nullable(),
});

const CutRow = z.object({ intake_done: z.boolean(), shards: z.int(), documents: z.bigint().transform(Number) });
const StatisticsRow = z.object({ known: z.boolean() });
const LockedRun = z.object({ base: z.string(), namespace_id: z.int(), intake_done: z.boolean() });

/** A small corpus is cut smaller than it must be, so that several workers have something to do; but into whole commits of the default size. */
const SHARDS = 16;
const LEAST_SHARD = 500;
/** Where fewer than one in so many documents is pending, shards name them: a look into the key costs about twice of passing a document by. */
const FEW = 4;

export const leaseLost = (lease: Lease): EmbError =>
  new EmbError(
    "EMB_LEASE_LOST",
    `the lease on shard ${lease.shard} of run ${lease.runId} (fencing token ${lease.fencingToken}) ran out or was taken over`,
    {
      hint: "Claim a shard again; what was committed is kept.",
      context: { runId: lease.runId, shard: lease.shard, fencingToken: lease.fencingToken.toString() },
    },
  );

const HELD = "run_id = $1 AND shard = $2 AND fencing_token = $3 AND NOT done AND lease_until > clock_timestamp()";
const LEASE_UNTIL = (parameter: string) =>
  `clock_timestamp() + ${parameter}::double precision * interval '1 millisecond'`;
const leaseKey = (lease: Lease) => [lease.runId, lease.shard, lease.fencingToken] as const;

/**
 * Moves a shard's cursor and counters on and renews its lease, as part of a batch: its row stays locked until the batch is committed, so no
 * other holder can come between. Parameters $1 to $11; touches no row when the lease is lost.
 */
export const advanceShardSql = (schema: string): string =>
  `UPDATE ${schema}.shards SET lease_until = ${LEASE_UNTIL("$4")}, cursor_id = $5, documents = documents + $6::bigint,
     chunks = chunks + $7::bigint, embedded = embedded + $8::bigint, skipped = skipped + $9::bigint, failed = failed + $10::bigint,
     tokens = tokens + $11::bigint
   WHERE ${HELD}`;

export function advanceShardParams(step: { lease: Lease; cursor: string | null; counters: ShardCounters }): SqlValue[] {
  const { documents, chunks, embedded, skipped, failed, tokens } = step.counters;
  return [
    ...leaseKey(step.lease),
    step.lease.leaseMs,
    step.cursor,
    documents,
    chunks,
    embedded,
    skipped,
    failed,
    tokens,
  ];
}

/** Shards and the leases on them: who may write which stretch of documents, until when. */
export function createPostgresShards(
  driver: SqlDriver,
  schema: string,
  wakeups: Pick<PostgresWakeups, "sender">,
): Pick<Runs, "cutShards" | "claimShard" | "renew" | "release" | "complete"> {
  return {
    cutShards: async (id, documentsPerShard, { wake = false } = {}) => {
      const send = wake ? await wakeups.sender() : null;
      if (!(await hasStatistics(driver, schema))) await driver.exec(`ANALYZE ${schema}.documents`);
      return driver.transaction(async (tx) => {
        const run = parseRow(
          LockedRun,
          await tx.query(`SELECT base, namespace_id, intake_done FROM ${schema}.runs WHERE id = $1 FOR UPDATE`, [id]),
        );
        if (run === null) throw unknownRun(id);
        const { base, namespace_id: namespaceId } = run;
        if (!run.intake_done) await cut(tx, schema, { id, base, namespaceId, documentsPerShard });
        const made = await readCut(tx, schema, id);
        if (!run.intake_done) await send?.(tx, Math.max(made.shards, 1)); // also a run without shards has to be brought to its end
        return made;
      });
    },

    claimShard: async (id, { owner, leaseMs }) => {
      const result = await driver.query(
        `UPDATE ${schema}.shards SET owner = $2, fencing_token = fencing_token + 1, lease_until = ${LEASE_UNTIL("$3")}
         WHERE run_id = $1 AND shard = (
           SELECT shard FROM ${schema}.shards
           WHERE run_id = $1 AND NOT done AND (lease_until IS NULL OR lease_until <= clock_timestamp())
           ORDER BY shard LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING shard, fencing_token, after_id, through_id, cursor_id, document_ids`,
        [id, owner, leaseMs],
      );
      const row = parseRow(LeaseRow, result);
      if (row === null) {
        if (driver.capabilities.concurrentSessions) await endSilentHolders(driver, schema, { id, leaseMs });
        return null;
      }
      return {
        runId: id,
        shard: row.shard,
        fencingToken: row.fencing_token,
        leaseMs,
        after: row.after_id,
        through: row.through_id,
        cursor: row.cursor_id,
        documentIds: row.document_ids,
      };
    },

    renew: async (lease) => {
      const { affected } = await driver.query(
        `UPDATE ${schema}.shards SET lease_until = ${LEASE_UNTIL("$4")} WHERE ${HELD}`,
        [...leaseKey(lease), lease.leaseMs],
      );
      if (affected !== 1) throw leaseLost(lease);
    },

    release: async (lease) =>
      void (await driver.query(`UPDATE ${schema}.shards SET lease_until = NULL, owner = NULL WHERE ${HELD}`, [
        ...leaseKey(lease),
      ])),

    complete: async (lease) => {
      const { affected } = await driver.query(
        `UPDATE ${schema}.shards SET done = true, lease_until = NULL, owner = NULL, document_ids = NULL WHERE ${HELD}`,
        [...leaseKey(lease)],
      );
      if (affected !== 1) throw leaseLost(lease);
    },
  };
}

/**
 * A holder that was frozen, or whose machine is gone, in the middle of a batch still has the lock on its shard's row, which is passed over when one is
 * claimed. Once its transaction is older than a lease and the server waits for the client, that session is ended, and the next claim gets the
 * shard. The timeout of an idle transaction does not reach a COPY that waits for its data.
 */
const endSilentHolders = (driver: SqlDriver, schema: string, { id, leaseMs }: { id: string; leaseMs: number }) =>
  driver.query(
    `SELECT pg_terminate_backend(a.pid) FROM ${schema}.shards s
     JOIN pg_catalog.pg_locks l ON l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.transactionid = s.xmax
     JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid AND a.usename = current_user AND a.wait_event = 'ClientRead'
     WHERE s.run_id = $1 AND NOT s.done AND s.lease_until <= clock_timestamp()
       AND a.xact_start < clock_timestamp() - $2::double precision * interval '1 millisecond'`,
    [id, leaseMs],
  );

/**
 * Whether the planner knows how many documents there are: the table has about the size that it had when that was last looked at. The embedded
 * database has nobody who looks by itself.
 */
const hasStatistics = async (driver: SqlDriver, schema: string): Promise<boolean> =>
  parseOneRow(
    StatisticsRow,
    await driver.query(
      `SELECT reltuples >= 0 AND abs(pg_relation_size(oid) / current_setting('block_size')::bigint - relpages) <= relpages / 2 AS known
       FROM pg_catalog.pg_class WHERE oid = $1::regclass`,
      [`${schema}.documents`],
    ),
  ).known;

/** Only where this process alone can hold a lease: what is still leased belongs to a process that died. */
export const voidLeases = async (driver: SqlDriver, schema: string): Promise<void> =>
  void (await driver.query(
    `UPDATE ${schema}.shards SET lease_until = NULL, owner = NULL WHERE lease_until IS NOT NULL`,
    [],
  ));

async function cut(
  session: SqlSession,
  schema: string,
  {
    id,
    base,
    namespaceId,
    documentsPerShard,
  }: { id: string; base: string; namespaceId: number; documentsPerShard: number },
): Promise<void> {
  // the first shard has no lower and the last one no upper bound, so that every id belongs to one
  await session.query(
    `WITH wanted AS MATERIALIZED (
       SELECT d.document_id, c.document_id IS NOT NULL AS committed
       FROM ${schema}.documents d LEFT JOIN ${committedName(schema, namespaceId)} c ON c.document_id = d.document_id AND c.version = d.version
       WHERE base = $2 AND NOT deleted AND ${inScope(schema, "$1")}
     ), numbered AS (
       SELECT document_id, (row_number() OVER (ORDER BY document_id) - 1) / least($3::bigint, ${LEAST_SHARD} * (1 + count(*) OVER () / ${SHARDS * LEAST_SHARD})) AS shard
       FROM wanted WHERE NOT committed
     ), counts AS (
       SELECT count(*) AS wanted, count(*) FILTER (WHERE NOT committed) AS pending FROM wanted
     ), parts AS (
       SELECT shard, max(document_id) AS last,
         array_agg(document_id ORDER BY document_id) FILTER (
           WHERE (SELECT partial FROM ${schema}.runs WHERE id = $1) OR (SELECT pending * ${FEW} < wanted FROM counts)
         ) AS ids
       FROM numbered GROUP BY shard
     ), made AS (
       INSERT INTO ${schema}.shards (run_id, shard, after_id, through_id, document_ids)
       SELECT $1, shard, lag(last) OVER (ORDER BY shard), CASE WHEN lead(shard) OVER (ORDER BY shard) IS NOT NULL THEN last END, ids FROM parts
     )
     UPDATE ${schema}.runs SET intake_done = true, updated_at = now(), documents_total = counts.wanted, documents_pending = counts.pending
     FROM counts WHERE id = $1`,
    [id, base, documentsPerShard],
  );
}

async function readCut(session: SqlSession, schema: string, id: string) {
  const result = await session.query(
    `SELECT intake_done, documents_total AS documents, (SELECT count(*)::integer FROM ${schema}.shards WHERE run_id = $1) AS shards
     FROM ${schema}.runs WHERE id = $1`,
    [id],
  );
  const { shards, documents } = parseOneRow(CutRow, result);
  return { shards, documents };
}
