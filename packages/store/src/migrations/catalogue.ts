/** Documents, namespaces with their seals, runs with their shards, readers and the audit log. */
export const catalogue = (s: string): string => `
  CREATE EXTENSION IF NOT EXISTS vector;

  CREATE SEQUENCE ${s}.document_version AS bigint;
  CREATE TABLE ${s}.documents (
    base text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    title text,
    format text NOT NULL,
    body text NOT NULL,
    metadata jsonb NOT NULL,
    version bigint NOT NULL,
    content_hash bytea NOT NULL,
    source text NOT NULL,
    deleted boolean NOT NULL,
    own_version boolean NOT NULL,
    PRIMARY KEY (base, document_id)
  );
  -- one row for each intake call: a row for each document would cost more than the documents
  CREATE TABLE ${s}.seen (run_id text NOT NULL, document_ids text[] COLLATE "C" NOT NULL);
  CREATE INDEX seen_run ON ${s}.seen (run_id);

  CREATE TABLE ${s}.bases (base text COLLATE "C" PRIMARY KEY, mode text NOT NULL);
  CREATE TABLE ${s}.seals (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    space_id text NOT NULL,
    fingerprint text NOT NULL,
    chunker_id text NOT NULL,
    profile text NOT NULL,
    provider text NOT NULL,
    model_id text NOT NULL,
    dims integer NOT NULL,
    similarity text NOT NULL,
    storage text NOT NULL,
    witness jsonb NOT NULL
  );
  CREATE TABLE ${s}.namespaces (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    base text COLLATE "C" NOT NULL REFERENCES ${s}.bases,
    suffix text COLLATE "C" NOT NULL,
    mode text NOT NULL,
    namespace text NOT NULL,
    state text NOT NULL,
    seal_id integer NOT NULL REFERENCES ${s}.seals,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE UNIQUE INDEX namespaces_address ON ${s}.namespaces (base, suffix) WHERE state <> 'retired';

  CREATE TABLE ${s}.runs (
    id text PRIMARY KEY,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    base text COLLATE "C" NOT NULL,
    namespace_id integer NOT NULL REFERENCES ${s}.namespaces,
    profile text NOT NULL,
    source text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    version bigint NOT NULL,
    intake_done boolean NOT NULL DEFAULT false,
    documents_total bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE ${s}.shards (
    run_id text NOT NULL REFERENCES ${s}.runs,
    shard integer NOT NULL,
    after_id text COLLATE "C",
    through_id text COLLATE "C",
    cursor_id text COLLATE "C",
    owner text,
    fencing_token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    done boolean NOT NULL DEFAULT false,
    documents bigint NOT NULL DEFAULT 0,
    chunks bigint NOT NULL DEFAULT 0,
    embedded bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, shard)
  ) WITH (fillfactor = 50); -- updated by every batch, in place while the page has room
  CREATE TABLE ${s}.failures (
    run_id text NOT NULL REFERENCES ${s}.runs,
    document_id text COLLATE "C" NOT NULL,
    ordinal integer NOT NULL, -- -1: the whole document
    code text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (run_id, document_id, ordinal)
  );

  CREATE TABLE ${s}.readers (
    instance text PRIMARY KEY,
    environment text NOT NULL,
    base text COLLATE "C" NOT NULL,
    namespace text NOT NULL,
    profile text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE ${s}.serving (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    environment text NOT NULL,
    base text COLLATE "C" NOT NULL,
    profile text NOT NULL,
    namespace text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
  );

  CREATE TABLE ${s}.audit (sequence bigint PRIMARY KEY, entry text NOT NULL, hash text NOT NULL);
  CREATE TABLE ${s}.audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    row_count bigint NOT NULL,
    hash text NOT NULL
  );
  INSERT INTO ${s}.audit_head (row_count, hash) VALUES (0, repeat('0', 64));
  CREATE FUNCTION ${s}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP; END $$;
  CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON ${s}.audit FOR EACH ROW EXECUTE FUNCTION ${s}.refuse_change();
  CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON ${s}.audit FOR EACH STATEMENT EXECUTE FUNCTION ${s}.refuse_change();
  CREATE TRIGGER audit_head_delete BEFORE DELETE ON ${s}.audit_head FOR EACH ROW EXECUTE FUNCTION ${s}.refuse_change();
  CREATE TRIGGER audit_head_truncate BEFORE TRUNCATE ON ${s}.audit_head FOR EACH STATEMENT EXECUTE FUNCTION ${s}.refuse_change();
  CREATE TRIGGER audit_head_update BEFORE UPDATE ON ${s}.audit_head FOR EACH ROW
    WHEN (NEW.row_count <> OLD.row_count + 1) EXECUTE FUNCTION ${s}.refuse_change();
`;
