/**
 * Documents that change one by one, beside runs. `changes` says which namespace has still to show which document's current version.
 */
export const liveChanges = (s: string): string => `
  -- drawn from the sequence when the row was written, where \`version\` is the caller's own: orders it against versions that are drawn
  ALTER TABLE ${s}.documents ADD COLUMN drawn bigint;

  CREATE TABLE ${s}.changes (
    namespace_id integer NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_until timestamptz, -- not to be taken before
    attempts integer NOT NULL DEFAULT 0,
    code text, -- set: the provider refused texts of it, at these ordinals
    reason text,
    ordinals integer[],
    PRIMARY KEY (namespace_id, document_id)
  );
  CREATE INDEX changes_waiting ON ${s}.changes (namespace_id, queued_at, document_id) WHERE code IS NULL;
`;
