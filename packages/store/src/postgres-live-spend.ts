import { z } from "zod";
import type { Changes } from "./changes.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";

const SpendRow = z
  .object({ namespace_id: z.int(), texts: z.int(), tokens: z.int(), spent_usd: z.number().nullable() })
  .transform(({ namespace_id, spent_usd, ...row }) => ({ namespaceId: namespace_id, ...row, costUsd: spent_usd }));

/** The ledger of what live changes take. */
export const createPostgresLiveSpend = (driver: SqlDriver, schema: string): Pick<Changes, "recordSpend" | "spend"> => ({
  recordSpend: async (namespaceId, { texts, tokens, costUsd }) =>
    void (await driver.query(
      `INSERT INTO ${schema}.live_spend AS l (namespace_id, texts, tokens, spent_usd) VALUES ($1, $2::bigint, $3::bigint, $4::double precision)
       ON CONFLICT (namespace_id) DO UPDATE SET texts = l.texts + excluded.texts, tokens = l.tokens + excluded.tokens,
         spent_usd = l.spent_usd + excluded.spent_usd`,
      [namespaceId, texts, tokens, costUsd],
    )),

  spend: async () =>
    parseRows(
      SpendRow,
      await driver.query(
        `SELECT namespace_id, texts::double precision AS texts, tokens::double precision AS tokens, spent_usd FROM ${schema}.live_spend ORDER BY namespace_id`,
      ),
    ),
});
