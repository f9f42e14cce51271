/** The ledger of live changes, which belong to no run: one row for each namespace that took something for them. */
export const liveSpend = (s: string): string => `
CREATE TABLE ${s}.live_spend (
  namespace_id integer PRIMARY KEY REFERENCES ${s}.namespaces,
  texts bigint NOT NULL DEFAULT 0,
  tokens bigint NOT NULL DEFAULT 0,
  spent_usd double precision DEFAULT 0 -- null: some of it had no price
) WITH (fillfactor = 50);
`;
