import { EmbError } from "@emb/manifest";
import { z } from "zod";
import { committedName, DISTANCE, tableName } from "./namespace-table.js";
import type { DenseQuery, Hit, NamespaceReader, NamespaceRecord } from "./namespaces.js";
import { readIndexKind } from "./postgres-index.js";
import type { SqlDriver, SqlResult } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { orRetired } from "./table-gone.js";
import { checkVector, readVector, vectorBinary, vectorText } from "./vector-bytes.js";

const MAX_LIMIT = 1_000; // also the most that hnsw.ef_search takes
const MIN_SEARCH_LIST = 100; // recall@10 0.996 on 100,000 x 384, measured

const HitRow = z.object({
  document_id: z.string(),
  ordinal: z.int(),
  text: z.string(),
  heading_path: z.string(),
  distance: z.number(),
  content_hash: z.string(),
  document_version: z.bigint(),
  run_id: z.string(),
  embedded_at: z.date(),
});

const KeyRow = z.object({
  document_id: z.string(),
  ordinal: z.int(),
  content_hash: z.instanceof(Uint8Array),
  document_version: z.bigint(),
});
const FactsRow = KeyRow.extend({
  seal_id: z.int(),
  dims: z.int(),
  norm: z.number(),
  shown_hash: z.instanceof(Uint8Array),
});
const SampleRow = KeyRow.extend({ vector: z.instanceof(Uint8Array) });
const StandingRow = z.object({
  document_id: z.string(),
  version: z.bigint(),
  deleted: z.boolean(),
  committed: z.bigint().nullable(),
  change: z.enum(["queued", "set_aside"]).nullable(),
  set_aside: z.array(z.int()),
});
const LagRow = z.object({ lag: z.int() });
const ContentRow = z.object({ hash: z.string() });
const CountRow = z.object({ documents: z.int(), chunks: z.int() });

const keyOf = (row: z.infer<typeof KeyRow>) => ({
  documentId: row.document_id,
  ordinal: row.ordinal,
  contentHash: row.content_hash,
  documentVersion: row.document_version,
});

export function parseKeys(result: SqlResult) {
  return parseRows(KeyRow, result).map(keyOf);
}

function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return;
  throw new EmbError("EMB_USAGE", `a search asks for 1 to ${MAX_LIMIT} results, not ${limit}`, {
    hint: `Set top_k to 1 to ${MAX_LIMIT}.`,
  });
}

export function createPostgresReader(options: {
  driver: SqlDriver;
  schema: string;
  record: NamespaceRecord;
  seal: "equal" | "mismatched";
}): NamespaceReader {
  const { driver, schema, record, seal } = options;
  const { similarity, storage, dims } = record.seal;
  const table = tableName(schema, record.id);
  const distanceTo = (vector: string) => `(embedding ${DISTANCE[similarity].operator} ${vector}::${storage}(${dims}))`;
  const norm = storage === "vector" ? "vector_norm(embedding)" : "l2_norm(embedding)";

  const toHit = (row: z.infer<typeof HitRow>): Hit => ({
    documentId: row.document_id,
    ordinal: row.ordinal,
    text: row.text,
    headingPath: row.heading_path,
    score: similarity === "cosine" ? 1 - row.distance : 0 - row.distance, // never minus zero
    provenance: {
      contentHash: row.content_hash,
      documentVersion: row.document_version,
      runId: row.run_id,
      embeddedAt: row.embedded_at,
    },
  });

  const nearest = (distanceSql: string, tieBreak: string, limit: string) => `
    SELECT document_id, ordinal, text, heading_path, distance, encode(content_hash, 'hex') AS content_hash, document_version, run_id, embedded_at
    FROM (SELECT *, ${distanceSql} AS distance FROM ${table} ORDER BY distance${tieBreak} LIMIT ${limit}) AS nearest
    ORDER BY distance, document_id, ordinal`;

  const parameterOf = (vector: Float32Array) =>
    driver.capabilities.binaryValues ? vectorBinary(record.seal, vector) : vectorText(vector);

  // `+ 0` is an expression that no index holds, so every row is looked at
  const exactSql = nearest(`${distanceTo("$1")} + 0`, ", document_id, ordinal", "$2::integer");
  const exact = ({ vector, limit }: DenseQuery) => driver.query(exactSql, [parameterOf(vector), limit]);

  const indexedSql = nearest(distanceTo("$1"), "", "$2::integer");
  /** enable_seqscan: without fresh statistics the planner may take a table of 100,000 rows for a small one. */
  const indexed = ({ vector, limit }: DenseQuery, iterativeScan: "off" | "strict_order") =>
    driver.queryWith(
      {
        "hnsw.ef_search": String(Math.min(Math.max(2 * limit, MIN_SEARCH_LIST), MAX_LIMIT)),
        "hnsw.iterative_scan": iterativeScan,
        enable_seqscan: "off",
      },
      indexedSql,
      [parameterOf(vector), limit],
    );

  /**
   * The index lists twice as many as are wanted. Where most of them are rows that were deleted since, it is asked to go on, which costs a tenth more
   * where it need not; its graph may leave a row unreachable, and a short answer must mean a short namespace.
   */
  const searchIndex = async (query: DenseQuery): Promise<SqlResult> => {
    for (const iterativeScan of ["off", "strict_order"] as const) {
      const result = await indexed(query, iterativeScan);
      if (result.rows.length >= query.limit) return result;
    }
    return exact(query);
  };

  /** An index that was there once is not looked for again: where it is gone, the same search reads every row. */
  let hasIndex = false;
  const lookForIndex = async (): Promise<boolean> =>
    (hasIndex ||= (await readIndexKind(driver, schema, record)) === "hnsw");

  const nearestRows = async (query: DenseQuery): Promise<SqlResult> =>
    query.exact !== true && (await lookForIndex()) ? searchIndex(query) : exact(query);

  return {
    record,
    seal,

    searchDense: async (query) => {
      checkVector(record.seal, query.vector, "query");
      checkLimit(query.limit);
      const result = await orRetired(record, "Open the namespace of today: start the reader again.", () =>
        nearestRows(query),
      );
      return parseRows(HitRow, result).map(toHit);
    },

    count: async () =>
      parseOneRow(
        CountRow,
        await driver.query(
          `SELECT coalesce(sum(chunks), 0)::integer AS chunks, count(*)::integer AS documents
           FROM (SELECT count(*) AS chunks FROM ${table} GROUP BY document_id) AS d`,
        ),
      ),

    lag: async () => {
      const result = await driver.query(
        `SELECT count(*)::integer AS lag FROM ${schema}.documents d LEFT JOIN ${committedName(schema, record.id)} c USING (document_id)
         WHERE d.base = $1 AND CASE WHEN d.deleted THEN EXISTS (SELECT FROM ${table} n WHERE n.document_id = d.document_id)
           ELSE c.version IS DISTINCT FROM d.version END`,
        [record.base],
      );
      return parseOneRow(LagRow, result).lag;
    },

    scan: async ({ after, limit, documentIds }) => {
      const result = await driver.query(
        `SELECT document_id, ordinal, content_hash, document_version, seal_id, vector_dims(embedding) AS dims, ${norm} AS norm,
           sha256(convert_to(heading_path, 'UTF8') || '\\x00'::bytea || convert_to(text, 'UTF8')) AS shown_hash
         FROM ${table} WHERE ($1::text IS NULL OR (document_id, ordinal) > ($1, $2::integer))
           ${documentIds === undefined ? "" : "AND document_id = ANY ($4::text[])"}
         ORDER BY document_id, ordinal LIMIT $3::integer`,
        [after?.documentId ?? null, after?.ordinal ?? null, limit, ...(documentIds === undefined ? [] : [documentIds])],
      );
      return parseRows(FactsRow, result).map((row) => ({
        ...keyOf(row),
        sealId: row.seal_id,
        dims: row.dims,
        norm: row.norm,
        shownHash: row.shown_hash,
      }));
    },

    standing: async (documentIds) => {
      const result = await driver.query(
        `SELECT d.document_id, d.version, d.deleted, c.version AS committed,
           CASE WHEN q.namespace_id IS NULL THEN NULL WHEN q.code IS NULL THEN 'queued' ELSE 'set_aside' END AS change,
           coalesce(q.ordinals, '{}') AS set_aside
         FROM ${schema}.documents d LEFT JOIN ${committedName(schema, record.id)} c USING (document_id)
         LEFT JOIN ${schema}.changes q ON q.namespace_id = $3 AND q.document_id = d.document_id
         WHERE d.base = $1 AND d.document_id = ANY ($2::text[]) ORDER BY d.document_id`,
        [record.base, documentIds, record.id],
      );
      return parseRows(StandingRow, result).map(({ document_id, set_aside, ...row }) => ({
        documentId: document_id,
        ...row,
        setAside: set_aside,
      }));
    },

    findContent: async (contentHashes) => {
      const result = await driver.query(
        `SELECT DISTINCT encode(content_hash, 'hex') AS hash FROM ${table} WHERE content_hash = ANY ($1::bytea[])`,
        [contentHashes],
      );
      return new Set(parseRows(ContentRow, result).map(({ hash }) => hash));
    },

    sampleVectors: async ({ limit, seed }) => {
      const result = await driver.query(
        `SELECT document_id, ordinal, content_hash, document_version, vector_send(embedding::vector) AS vector
         FROM ${table} JOIN (
           SELECT document_id, ordinal FROM ${table}
           ORDER BY hashtextextended(document_id || '/' || ordinal, $2::bigint), document_id, ordinal LIMIT $1::integer
         ) AS sample USING (document_id, ordinal)
         ORDER BY document_id, ordinal`,
        [limit, seed],
      );
      return parseRows(SampleRow, result).map((row) => ({ ...keyOf(row), vector: readVector(row.vector) }));
    },

    index: () => readIndexKind(driver, schema, record),
  };
}
