/** When the next request of each key may be sent, and how many tokens a minute are kept free for the largest one. */
export const rateLimits = (s: string): string => `
  CREATE TABLE ${s}.rate_limits (
    key text PRIMARY KEY,
    requests_free_at timestamptz NOT NULL,
    tokens_free_at timestamptz NOT NULL,
    tokens_margin double precision NOT NULL
  ) WITH (fillfactor = 50); -- updated by every request, in place
`;
