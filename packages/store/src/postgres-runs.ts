import { EmbError } from "@emb/manifest";
import { z } from "zod";
import { committedName, isCommitted } from "./namespace-table.js";
import type { PostgresWakeups } from "./postgres-wakeups.js";
import { RUN_STATES, type Lease, type Run, type Runs, type ShardCounters, type TextFailure } from "./runs.js";
import type { SqlDriver, SqlSession, SqlValue } from "./sql-driver.js";
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

const LeaseRow = z.object({
  shard: z.int(),
  fencing_token: z.bigint(),
  after_id: z.string().nullable(),
  through_id: z.string().nullable(),
  cursor_id: z.string().nullable(),
});

const FailureRow = z.object({ document_id: z.string(), ordinal: z.int(), code: z.string(), reason: z.string() });
const LeftRow = z.object({ left_usd: z.number() });
const StateRow = z.object({ state: z.enum(RUN_STATES) });
const CutRow = z.object({ intake_done: z.boolean(), shards: z.int(), documents: Count });
const LockedRun = z.object({ base: z.string(), namespace_id: z.int(), intake_done: z.boolean() });

/** A small corpus is cut smaller than it must be, so that several workers have something to do; but not to pieces. */
const SHARDS = 16;
const LEAST_SHARD = 250;

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
      r.updated_at, r.documents_total, s.*, p.max_cost_usd, p.spent_tokens, p.spent_usd, p.reserved_tokens, p.reserved_usd, (SELECT count(*) FROM ${schema}.failures f WHERE f.run_id = r.id) AS failures
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

  return {
    create: (run) =>
      driver.transaction(async (tx) => {
        await tx.query(
          `INSERT INTO ${schema}.runs (id, base, namespace_id, profile, source, state, version, partial) VALUES ($1, $2, $3, $4, $5, 'plan', $6, $7)`,
          [run.id, run.base, run.namespaceId, run.profile, run.source, run.version, run.partial === true],
        );
        await tx.query(`INSERT INTO ${schema}.run_spend (run_id) VALUES ($1)`, [run.id]);
        return parseOneRow(RunRow, await tx.query(`${select} WHERE r.id = $1`, [run.id]));
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

    cutShards: async (id, documentsPerShard, { wake = false } = {}) => {
      const send = wake ? await wakeups.sender() : null;
      await driver.exec(`ANALYZE ${schema}.documents`); // the embedded database has nobody who does it later
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
         RETURNING shard, fencing_token, after_id, through_id, cursor_id`,
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
        `UPDATE ${schema}.shards SET done = true, lease_until = NULL, owner = NULL WHERE ${HELD}`,
        [...leaseKey(lease)],
      );
      if (affected !== 1) throw leaseLost(lease);
    },

    limitSpend: async (id, maxCostUsd) =>
      void (await driver.query(`UPDATE ${schema}.run_spend SET max_cost_usd = $2::double precision WHERE run_id = $1`, [
        id,
        maxCostUsd,
      ])),

    reserveSpend: async (id, { tokens, costUsd }) => {
      // sums of parts differ from the sum in their last digits: a limit of exactly the price must not stop the last batch
      const { affected } = await driver.query(
        `UPDATE ${schema}.run_spend SET reserved_tokens = reserved_tokens + $2::bigint, reserved_usd = reserved_usd + $3::double precision
         WHERE run_id = $1 AND (max_cost_usd IS NULL
           OR coalesce(spent_usd, 0) + reserved_usd + $3::double precision <= max_cost_usd * (1 + 1e-9))`,
        [id, tokens, costUsd],
      );
      if (affected === 1) return null;
      const left = await driver.query(
        `SELECT greatest(max_cost_usd - coalesce(spent_usd, 0) - reserved_usd, 0) AS left_usd FROM ${schema}.run_spend
         WHERE run_id = $1 AND max_cost_usd IS NOT NULL`,
        [id],
      );
      const row = parseRow(LeftRow, left);
      if (row === null) throw unknownRun(id);
      return { leftUsd: row.left_usd };
    },

    settleSpend: async (id, { spent, reserved = { tokens: 0, costUsd: 0 } }) =>
      void (await driver.query(
        `UPDATE ${schema}.run_spend SET spent_tokens = spent_tokens + $2::bigint, spent_usd = spent_usd + $3::double precision,
           reserved_tokens = reserved_tokens - $4::bigint,
           reserved_usd = CASE WHEN reserved_tokens = $4::bigint THEN 0 ELSE reserved_usd - $5::double precision END
         WHERE run_id = $1`,
        [id, spent.tokens, spent.costUsd, reserved.tokens, reserved.costUsd],
      )),

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

/** Only where this process alone can hold a lease: what is still leased belongs to a process that died. */
export const voidLeases = async (driver: SqlDriver, schema: string): Promise<void> =>
  void (await driver.query(
    `UPDATE ${schema}.shards SET lease_until = NULL, owner = NULL WHERE lease_until IS NOT NULL`,
    [],
  ));

/** Holds for a document `d` that the run fills. */
const IN_SCOPE = (schema: string, run: string) =>
  `(NOT (SELECT partial FROM ${schema}.runs WHERE id = ${run})
    OR EXISTS (SELECT FROM ${schema}.run_scope s WHERE s.run_id = ${run} AND s.document_id = d.document_id))`;

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
    `WITH numbered AS (
       SELECT document_id, (row_number() OVER (ORDER BY document_id) - 1) / least($3::bigint, greatest(${LEAST_SHARD}, 1 + count(*) OVER () / ${SHARDS})) AS shard
       FROM ${schema}.documents d WHERE base = $2 AND NOT deleted AND ${IN_SCOPE(schema, "$1")} AND NOT ${isCommitted(committedName(schema, namespaceId))}
     ), lasts AS (SELECT shard, max(document_id) AS last FROM numbered GROUP BY shard)
     INSERT INTO ${schema}.shards (run_id, shard, after_id, through_id)
     SELECT $1, shard, lag(last) OVER (ORDER BY shard), CASE WHEN lead(shard) OVER (ORDER BY shard) IS NOT NULL THEN last END FROM lasts`,
    [id, base, documentsPerShard],
  );
  await session.query(
    `UPDATE ${schema}.runs SET intake_done = true, updated_at = now(),
       documents_total = (SELECT count(*) FROM ${schema}.documents d WHERE base = $2 AND NOT deleted AND ${IN_SCOPE(schema, "$1")}) WHERE id = $1`,
    [id, base],
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

const unknownRun = (id: string) =>
  new EmbError("EMB_USAGE", `there is no run "${id}"`, { hint: "`emb status` lists them.", context: { runId: id } });
