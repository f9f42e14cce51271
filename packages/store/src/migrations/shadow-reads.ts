/** Queries that a candidate answered beside the profile that serves; and for what a reader reads its namespace. */
export const shadowReads = (s: string): string => `
  CREATE TABLE ${s}.shadow_reads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    base text COLLATE "C" NOT NULL,
    query text COLLATE "C" NOT NULL,
    k integer NOT NULL,
    outcome text NOT NULL,
    baseline text COLLATE "C" NOT NULL,
    baseline_namespace text NOT NULL,
    baseline_documents jsonb NOT NULL, -- [{id, score}], best first
    baseline_ms double precision NOT NULL,
    candidate text COLLATE "C" NOT NULL,
    candidate_namespace text NOT NULL,
    candidate_documents jsonb NOT NULL,
    candidate_ms double precision NOT NULL
  );
  CREATE INDEX shadow_reads_base ON ${s}.shadow_reads (base, id);

  ALTER TABLE ${s}.readers ADD COLUMN use text NOT NULL DEFAULT 'serving';
`;
