import { z } from "zod";
import type { RateLimits } from "./rate-limits.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow } from "./sql-rows.js";

const ReservedRow = z.object({ wait_ms: z.number() });

/** One second more than a minute, so that requests which are under way for unequal times do not meet in one. */
const MINUTE_MS = 61_000;

/**
 * The requests of a key stand in line, each as far from the next as it costs by the rate of the limit; nothing is saved up while none is sent. Within a
 * minute the costs of all requests but the last fit into what that rate gives, so the rate is that of the limit less a margin, and the last one
 * fits into the margin: the largest request so far, at most half of the limit. One that is larger than the margin waits as much longer, itself.
 */
export function createPostgresRateLimits(driver: SqlDriver, schema: string): RateLimits {
  const ms = (amount: string) => `(${amount}) * interval '1 millisecond'`;
  const spreadMs = `coalesce(${MINUTE_MS}::double precision / $2::double precision, 0)`;
  const tokensMs = (tokens: string, margin: string) =>
    `coalesce((${tokens}) * ${MINUTE_MS}::double precision / ($3::double precision - (${margin})), 0)`;
  const newMargin = "least($4::double precision, $3::double precision / 2)";
  return {
    reserve: async ({ key, requestsPerMinute, tokensPerMinute, tokens }) => {
      // the clock is read after the row is locked
      const result = await driver.query(
        `INSERT INTO ${schema}.rate_limits AS r (key, requests_free_at, tokens_free_at, tokens_margin)
         VALUES ($1, clock_timestamp() + ${ms(spreadMs)}, clock_timestamp() + ${ms(tokensMs("$4::double precision", newMargin))}, coalesce(${newMargin}, 0))
         ON CONFLICT (key) DO UPDATE SET (requests_free_at, tokens_free_at, tokens_margin) = (
           SELECT sent + ${ms(spreadMs)}, sent + ${ms(tokensMs("$4::double precision", "after"))}, coalesce(after, 0)
           FROM (SELECT least(r.tokens_margin, $3::double precision / 2) AS before) AS m,
             LATERAL (SELECT greatest(before, ${newMargin}) AS after,
               greatest(clock_timestamp(), r.requests_free_at,
                 r.tokens_free_at + ${ms(tokensMs("greatest($4::double precision - before, 0)", "before"))}) AS sent) AS s)
         RETURNING greatest(extract(epoch FROM requests_free_at - ${ms(spreadMs)} - clock_timestamp()) * 1000, 0)::double precision AS wait_ms`,
        [key, requestsPerMinute, tokensPerMinute, tokens],
      );
      return parseOneRow(ReservedRow, result).wait_ms;
    },
  };
}
