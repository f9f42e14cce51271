import { z } from "zod";
import type { SqlDriver } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";
import type { Worker, Workers } from "./workers.js";

/** Long enough to be looked at after an incident. */
const FORGET_AFTER_MS = 3_600_000;

const WorkerRow = z
  .object({
    instance: z.string(),
    environment: z.string(),
    host: z.string(),
    pid: z.int(),
    started_at: z.date(),
    seen_at: z.date(),
    shards: z.int(),
  })
  .transform(({ started_at, seen_at, ...report }): Worker => ({ ...report, startedAt: started_at, seenAt: seen_at }));

export function createPostgresWorkers(driver: SqlDriver, schema: string): Workers {
  return {
    report: async ({ instance, environment, host, pid }, { forgetAfterMs } = { forgetAfterMs: FORGET_AFTER_MS }) =>
      void (await driver.query(
        `WITH forgotten AS (
           DELETE FROM ${schema}.workers
           WHERE instance <> $1 AND seen_at < clock_timestamp() - $5::double precision * interval '1 millisecond'
         ) INSERT INTO ${schema}.workers (instance, environment, host, pid) VALUES ($1, $2, $3, $4::integer)
         ON CONFLICT (instance) DO UPDATE SET environment = excluded.environment, host = excluded.host, pid = excluded.pid,
           seen_at = clock_timestamp()`,
        [instance, environment, host, pid, forgetAfterMs],
      )),

    leave: async (instance) =>
      void (await driver.query(`DELETE FROM ${schema}.workers WHERE instance = $1`, [instance])),

    list: async ({ withinMs }) =>
      parseRows(
        WorkerRow,
        await driver.query(
          `SELECT w.instance, w.environment, w.host, w.pid, w.started_at, w.seen_at, (
             SELECT count(*)::integer FROM ${schema}.shards s
             WHERE s.owner = w.instance AND NOT s.done AND s.lease_until > clock_timestamp()) AS shards
           FROM ${schema}.workers w WHERE w.seen_at >= clock_timestamp() - $1::double precision * interval '1 millisecond'
           ORDER BY w.seen_at DESC, w.instance`,
          [withinMs],
        ),
      ),
  };
}
