/** Runs that fill only some documents, which are named. */
export const runScope = (s: string): string => `
ALTER TABLE ${s}.runs ADD COLUMN partial boolean NOT NULL DEFAULT false;
CREATE TABLE ${s}.run_scope (
  run_id text NOT NULL REFERENCES ${s}.runs,
  document_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (run_id, document_id)
);
`;
