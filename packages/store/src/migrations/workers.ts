/** Processes that take shards, with their last sign of life. */
export const workers = (s: string): string => `
  CREATE TABLE ${s}.workers (
    instance text PRIMARY KEY,
    environment text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
`;
