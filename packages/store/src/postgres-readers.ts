import { z } from "zod";
import type { Reader, Readers } from "./readers.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseRow, parseRows } from "./sql-rows.js";

const ReaderRow = z
  .object({
    instance: z.string(),
    environment: z.string(),
    base: z.string(),
    namespace: z.string(),
    profile: z.string(),
    use: z.enum(["serving", "shadow"]),
    started_at: z.date(),
    seen_at: z.date(),
  })
  .transform(({ started_at, seen_at, ...report }): Reader => ({ ...report, startedAt: started_at, seenAt: seen_at }));

const ServingRow = z.object({ profile: z.string(), namespace: z.string(), since: z.date() });

export function createPostgresReaders(driver: SqlDriver, schema: string): Readers {
  const serving = `${schema}.serving`;
  return {
    report: async ({ instance, environment, base, namespace, profile, use }) =>
      void (await driver.query(
        `INSERT INTO ${schema}.readers (instance, environment, base, namespace, profile, use) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (instance) DO UPDATE SET environment = excluded.environment, base = excluded.base, namespace = excluded.namespace,
           profile = excluded.profile, use = excluded.use, seen_at = clock_timestamp(), left_at = NULL`,
        [instance, environment, base, namespace, profile, use],
      )),

    leave: async (instance) =>
      void (await driver.query(
        `UPDATE ${schema}.readers SET seen_at = clock_timestamp(), left_at = clock_timestamp() WHERE instance = $1`,
        [instance],
      )),

    list: async ({ withinMs, base, departed = false }) =>
      parseRows(
        ReaderRow,
        await driver.query(
          `SELECT instance, environment, base, namespace, profile, use, started_at, seen_at FROM ${schema}.readers
           WHERE seen_at >= clock_timestamp() - $1::double precision * interval '1 millisecond' AND ($2::text IS NULL OR base = $2)
             AND ($3::boolean OR left_at IS NULL)
           ORDER BY seen_at DESC, instance`,
          [withinMs, base ?? null, departed],
        ),
      ),

    recordServing: ({ environment, base, profile, namespace }) =>
      driver.transaction(async (tx) => {
        // two processes that start at once must not both record the same cutover
        await tx.exec(`LOCK TABLE ${serving} IN EXCLUSIVE MODE`);
        const last = parseRow(
          ServingRow,
          await tx.query(
            `SELECT profile, namespace, since FROM ${serving} WHERE environment = $1 AND base = $2 ORDER BY id DESC LIMIT 1`,
            [environment, base],
          ),
        );
        if (last?.profile === profile) return profile;
        await tx.query(`INSERT INTO ${serving} (environment, base, profile, namespace) VALUES ($1, $2, $3, $4)`, [
          environment,
          base,
          profile,
          namespace,
        ]);
        return last?.profile ?? null;
      }),

    servingHistory: async ({ environment, base, limit }) =>
      parseRows(
        ServingRow,
        await driver.query(
          `SELECT profile, namespace, since FROM ${serving} WHERE environment = $1 AND base = $2 ORDER BY id DESC LIMIT $3::bigint`,
          [environment, base, limit],
        ),
      ),
  };
}
