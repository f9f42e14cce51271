/** The ledger of spend, apart from `runs`: written by every batch that embeds something. */
export const runSpend = (s: string): string => `
  CREATE TABLE ${s}.run_spend (
    run_id text PRIMARY KEY REFERENCES ${s}.runs,
    max_cost_usd double precision, -- null: no limit
    spent_tokens bigint NOT NULL DEFAULT 0,
    spent_usd double precision DEFAULT 0, -- null: some of it had no price
    reserved_tokens bigint NOT NULL DEFAULT 0,
    reserved_usd double precision NOT NULL DEFAULT 0
  ) WITH (fillfactor = 50);
  INSERT INTO ${s}.run_spend (run_id, spent_tokens, spent_usd)
    SELECT r.id, coalesce(sum(h.tokens), 0), CASE WHEN coalesce(sum(h.tokens), 0) = 0 THEN 0 END
    FROM ${s}.runs r LEFT JOIN ${s}.shards h ON h.run_id = r.id GROUP BY r.id;
`;
