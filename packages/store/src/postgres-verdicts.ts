import { z } from "zod";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import type { KeptVerdict, VerdictRecord, Verdicts } from "./verdicts.js";

const Side = z.object({ profile: z.string(), namespace: z.string().nullable(), fingerprint: z.string().nullable() });
const Detail = z.object({
  verdict: z.enum(["GO", "NO-GO", "INCONCLUSIVE"]),
  environment: z.string(),
  actor: z.string(),
  base: z.string(),
  baseline: Side,
  candidate: Side,
  metric: z.string(),
  margin: z.number(),
  alpha: z.number(),
  seed: z.number(),
  queries: z.number(),
  difference: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  queriesNeeded: z.number().nullable(),
  reasons: z.array(z.string()),
  inputs: z.record(z.string(), z.string()),
}) satisfies z.ZodType<VerdictRecord>;

const VerdictRow = z
  .object({ id: z.bigint(), at: z.date(), detail: Detail })
  .transform(({ id, at, detail }): KeptVerdict => ({ ...detail, id, at }));

/** The columns beside `detail` are what is asked for; `detail` is the whole record. */
export function createPostgresVerdicts(driver: SqlDriver, schema: string): Verdicts {
  return {
    keep: async (verdict) =>
      parseOneRow(
        VerdictRow,
        await driver.query(
          `INSERT INTO ${schema}.verdicts (base, baseline, candidate, verdict, detail) VALUES ($1, $2, $3, $4, $5::jsonb)
           RETURNING id, at, detail`,
          [
            verdict.base,
            verdict.baseline.profile,
            verdict.candidate.profile,
            verdict.verdict,
            JSON.stringify(Detail.parse(verdict)),
          ],
        ),
      ),

    list: async ({ limit, base, baseline, candidate }) =>
      parseRows(
        VerdictRow,
        await driver.query(
          `SELECT id, at, detail FROM ${schema}.verdicts
           WHERE ($2::text IS NULL OR base = $2) AND ($3::text IS NULL OR baseline = $3) AND ($4::text IS NULL OR candidate = $4)
           ORDER BY id DESC LIMIT $1::bigint`,
          [limit, base ?? null, baseline ?? null, candidate ?? null],
        ),
      ),
  };
}
