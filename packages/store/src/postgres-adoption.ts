import { EmbError } from "@emb/manifest";
import { z } from "zod";
import type { Adoption, ForeignTable } from "./adoption.js";
import { isDatabaseError } from "./database-error.js";
import { committedName, tableName } from "./namespace-table.js";
import type { NamespaceRecord } from "./namespaces.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { readVector } from "./vector-bytes.js";

const MAX_ID_BYTES = 1024;
/** pgvector's "expected N dimensions, not M". */
const WRONG_DIMS = "22000";

const ColumnRow = z.object({ name: z.string(), type: z.string() });
const FactsRow = z.object({ rows: z.int(), usable: z.int(), dims: z.int().nullable() });
const SampleRow = z.object({ id: z.string(), text: z.string(), vector: z.instanceof(Uint8Array) });
const LeftOutRow = z.object({ id: z.string().nullable(), reason: z.string() });
const CountRow = z.object({ documents: z.int() });

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const tableOf = ({ table }: ForeignTable): string => table.split(".").map(quoted).join(".");

/** The rows under our names for their columns. */
const rows = (foreign: ForeignTable): string =>
  `(SELECT ${quoted(foreign.idColumn)}::text COLLATE "C" AS id, ${quoted(foreign.textColumn)}::text AS text, ${quoted(foreign.vectorColumn)} AS vector
    FROM ${tableOf(foreign)})`;

/** The rows with what is wrong with each; null: nothing. */
const judged = (foreign: ForeignTable): string =>
  `(SELECT id, text, vector,
      CASE WHEN id IS NULL OR btrim(id) = '' THEN 'expected an id, found none'
        WHEN octet_length(id) > ${MAX_ID_BYTES} THEN 'expected an id of at most ${MAX_ID_BYTES} bytes'
        WHEN count(*) OVER (PARTITION BY id) > 1 THEN 'expected an id that no other row has'
        WHEN text IS NULL OR text !~ '[^[:space:]]' THEN 'expected a text, found none'
        WHEN vector IS NULL THEN 'expected a vector, found none' END AS flaw
    FROM ${rows(foreign)} AS rows) AS judged`;

export function createPostgresAdoption(driver: SqlDriver, schema: string): Adoption {
  const checkColumns = async (foreign: ForeignTable) => {
    const parts = foreign.table.split(".");
    if (parts.length > 2 || parts.includes("")) throw notAsSaid(foreign, "expected TABLE or SCHEMA.TABLE");
    const result = await driver.query(
      `SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
       WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [tableOf(foreign)],
    );
    const columns = new Map(parseRows(ColumnRow, result).map(({ name, type }) => [name, type]));
    if (columns.size === 0) throw notAsSaid(foreign, "there is no such table, or this user may not see it");
    for (const name of [foreign.idColumn, foreign.textColumn, foreign.vectorColumn])
      if (!columns.has(name))
        throw notAsSaid(foreign, `expected a column ${name}, seen ${[...columns.keys()].join(", ")}`);
    const type = columns.get(foreign.vectorColumn) ?? "";
    if (!/(?:^|\.)(?:vector|halfvec)$/.test(type))
      throw notAsSaid(foreign, `column ${foreign.vectorColumn}: expected type vector or halfvec, seen ${type}`);
  };

  return {
    inspect: async (foreign) => {
      await checkColumns(foreign);
      return parseOneRow(
        FactsRow,
        await driver.query(
          `SELECT count(*)::integer AS rows, count(*) FILTER (WHERE flaw IS NULL)::integer AS usable,
             max(vector_dims(vector)) FILTER (WHERE flaw IS NULL)::integer AS dims FROM ${judged(foreign)}`,
        ),
      );
    },

    sample: async (foreign, limit) => {
      const result = await driver.query(
        `SELECT id, text, vector_send(vector::vector) AS vector FROM ${judged(foreign)} WHERE flaw IS NULL
         ORDER BY md5(id) LIMIT $1::bigint`,
        [limit],
      );
      return parseRows(SampleRow, result).map(({ id, text, vector }) => ({ id, text, vector: readVector(vector) }));
    },

    leftOut: async (foreign, limit) => {
      const result = await driver.query(
        `SELECT left(id, ${MAX_ID_BYTES / 4}) AS id, flaw AS reason FROM ${judged(foreign)} WHERE flaw IS NOT NULL
         ORDER BY id LIMIT $1::bigint`,
        [limit],
      );
      return parseRows(LeftOutRow, result).map(({ id, reason }) => ({ id: id ?? "row without id", reason }));
    },

    copy: ({ record, runId, version, source, table: foreign, hashPrefix }) =>
      driver
        .transaction(async (tx) => {
          // one moment of a table that others write to; the lock is there before it
          await tx.exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`);
          await tx.exec(`LOCK TABLE ${schema}.documents IN SHARE ROW EXCLUSIVE MODE`);
          // who pauses or aborts the run waits for the copy
          await tx.query(`UPDATE ${schema}.runs SET intake_done = true WHERE id = $1`, [runId]);
          const before = await tx.query(
            `SELECT count(*)::integer AS documents FROM (SELECT FROM ${schema}.documents WHERE base = $1 LIMIT 1) AS d`,
            [record.base],
          );
          if (parseOneRow(CountRow, before).documents > 0) throw occupied(record.base);
          const { affected } = await tx.query(
            `INSERT INTO ${schema}.documents (base, document_id, title, format, body, metadata, version, content_hash, source, deleted, own_version)
             SELECT $1, id, NULL, 'text', text, '{}', $2::bigint, sha256($3::bytea || convert_to(text, 'UTF8')), $4, false, false
             FROM ${judged(foreign)} WHERE flaw IS NULL`,
            [record.base, version, hashPrefix, source],
          );
          await tx.query(
            `INSERT INTO ${tableName(schema, record.id)} (document_id, ordinal, content_hash, document_version, seal_id, run_id, heading_path, text, embedding)
             SELECT d.document_id, 0, sha256(convert_to(d.body, 'UTF8')), d.version, n.seal_id, $2, '', d.body, f.vector::${record.seal.storage}(${record.seal.dims})
             FROM ${schema}.documents d JOIN ${rows(foreign)} AS f ON f.id = d.document_id JOIN ${schema}.namespaces n ON n.id = $3
             WHERE d.base = $1`,
            [record.base, runId, record.id],
          );
          await tx.query(
            `INSERT INTO ${committedName(schema, record.id)} (document_id, version)
             SELECT document_id, version FROM ${schema}.documents WHERE base = $1`,
            [record.base],
          );
          await tx.query(
            `UPDATE ${schema}.runs SET updated_at = now(), documents_total = $2::bigint, documents_pending = 0 WHERE id = $1`,
            [runId, affected],
          );
          return { documents: affected };
        })
        .catch((error: unknown) => {
          throw isDatabaseError(error, WRONG_DIMS) ? wrongDims(foreign, record, error) : error;
        }),
  };
}

const notAsSaid = ({ table }: ForeignTable, seen: string) =>
  new EmbError("EMB_SOURCE_INVALID", `table ${table}: ${seen}`, {
    hint: "Name table and columns as they stand in the database of DATABASE_URL.",
    context: { table },
  });

const occupied = (base: string) =>
  new EmbError("EMB_USAGE", `base ${base}: expected no documents, found some`, {
    hint: "Adopt the table as a base of its own: --base NAME.",
    context: { base },
  });

const wrongDims = ({ table }: ForeignTable, { seal }: NamespaceRecord, cause: unknown) =>
  new EmbError("EMB_VECTOR_INVALID", `table ${table}: expected vectors of ${seal.dims} dims, found another`, {
    hint: "Adopt the table with the profile that filled it.",
    context: { table, dims: seal.dims },
    cause,
  });
