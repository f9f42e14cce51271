import type { Similarity, Storage } from "@emb/manifest";

/** Source: pgvector 0.8 README, "Reference": most dims of a column, and of an HNSW index over it. */
export const MAX_DIMS: Readonly<Record<Storage, number>> = { vector: 16_000, halfvec: 16_000 };
export const MAX_INDEXED_DIMS: Readonly<Record<Storage, number>> = { vector: 2_000, halfvec: 4_000 };

/** Operators of pgvector: smaller is closer for all three; `<#>` is minus the inner product. */
export const DISTANCE: Readonly<Record<Similarity, { operator: string; operatorClass: string }>> = {
  cosine: { operator: "<=>", operatorClass: "cosine_ops" },
  dot: { operator: "<#>", operatorClass: "ip_ops" },
  euclidean: { operator: "<->", operatorClass: "l2_ops" },
};

/** Columns in the order of the binary COPY; `embedded_at` is filled by the database's clock. */
export const CHUNK_COLUMNS = [
  "document_id",
  "ordinal",
  "content_hash",
  "document_version",
  "seal_id",
  "run_id",
  "heading_path",
  "text",
  "embedding",
] as const;

export const tableName = (schema: string, id: number): string => `${schema}.ns_${id}`;
/** For each document the version that was committed last, also of one without chunks. */
export const committedName = (schema: string, id: number): string => `${schema}.ns_${id}_documents`;

/** Holds for a document `d` whose current version is committed, `committed` being the name of that table. */
export const isCommitted = (committed: string): string =>
  `EXISTS (SELECT FROM ${committed} c WHERE c.document_id = d.document_id AND c.version = d.version)`;

/**
 * One namespace, one table: the width is in the column's type and the seal in a constraint, so the database itself refuses a vector of
 * another width or under another seal. Rows stay whole up to 8 kB: reading a vector out of line costs more than it saves; see bench.
 */
export const createTables = (
  schema: string,
  id: number,
  seal: { id: number; storage: Storage; dims: number },
): string => `
  CREATE TABLE ${tableName(schema, id)} (
    document_id text COLLATE "C" NOT NULL,
    ordinal integer NOT NULL,
    content_hash bytea NOT NULL,
    document_version bigint NOT NULL,
    seal_id integer NOT NULL CHECK (seal_id = ${seal.id}),
    run_id text NOT NULL,
    embedded_at timestamptz NOT NULL DEFAULT now(),
    heading_path text NOT NULL,
    text text NOT NULL,
    embedding ${seal.storage}(${seal.dims}) NOT NULL,
    PRIMARY KEY (document_id, ordinal)
  ) WITH (toast_tuple_target = 8160);
  CREATE TABLE ${committedName(schema, id)} (
    document_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL
  ) WITH (fillfactor = 90) -- room for the next version on the same page: then no index is touched`;
