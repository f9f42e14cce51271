/** What comparisons of profiles came to. Rows are written once. */
export const verdicts = (s: string): string => `
  CREATE TABLE ${s}.verdicts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    base text COLLATE "C" NOT NULL,
    baseline text NOT NULL,
    candidate text NOT NULL,
    verdict text NOT NULL,
    detail jsonb NOT NULL
  );
  CREATE INDEX verdicts_base ON ${s}.verdicts (base, id);
`;
