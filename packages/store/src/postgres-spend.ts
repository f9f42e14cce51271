import { z } from "zod";
import type { Runs } from "./runs.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseRow } from "./sql-rows.js";
import { unknownRun } from "./unknown-run.js";

const LeftRow = z.object({ left_usd: z.number() });

/** The ledger of what runs spend. */
export const createPostgresSpend = (
  driver: SqlDriver,
  schema: string,
): Pick<Runs, "limitSpend" | "reserveSpend" | "settleSpend"> => ({
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
});
