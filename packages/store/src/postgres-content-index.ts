import { z } from "zod";
import { tableName } from "./namespace-table.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { readVector } from "./vector-bytes.js";

const VectorRow = z.object({ hash: z.string(), vector: z.instanceof(Uint8Array) });
const FilledRow = z.object({ filled: z.boolean() });

/** Looks up the vectors of one namespace by the content they were made of. */
export interface ContentIndex {
  /** Keyed by lower-case hex; absent when there is none. */
  findVectors(contentHashes: readonly Uint8Array[]): Promise<ReadonlyMap<string, Float32Array>>;
}

/**
 * The database's index is made when it is first asked for and there are rows: it takes a quarter off the speed of a bulk load (see bench), which
 * asks for nothing.
 */
export function createContentIndex(driver: SqlDriver, schema: string, namespaceId: number): ContentIndex {
  const table = tableName(schema, namespaceId);
  let indexed = false;

  /** False: there are no rows. */
  const makeIndex = async (): Promise<boolean> => {
    if (indexed) return true;
    const { filled } = parseOneRow(FilledRow, await driver.query(`SELECT EXISTS (SELECT FROM ${table}) AS filled`));
    if (!filled) return false;
    await driver.transaction(async (tx) => {
      await tx.exec(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`); // IF NOT EXISTS alone fails when two sessions meet
      await tx.exec(`CREATE INDEX IF NOT EXISTS ns_${namespaceId}_content ON ${table} (content_hash)`);
    });
    indexed = true;
    return true;
  };

  return {
    findVectors: async (contentHashes) => {
      if (contentHashes.length === 0 || !(await makeIndex())) return new Map();
      const result = await driver.query(
        `SELECT encode(h.hash, 'hex') AS hash, vector_send(found.embedding::vector) AS vector
         FROM (SELECT DISTINCT hash FROM unnest($1::bytea[]) AS i (hash)) AS h
         CROSS JOIN LATERAL (
           -- a range in order of the index, not an equality: that one is sometimes answered by reading the table until it is met
           SELECT embedding FROM ${table} WHERE content_hash BETWEEN h.hash AND h.hash ORDER BY content_hash LIMIT 1
         ) AS found`,
        [contentHashes],
      );
      return new Map(parseRows(VectorRow, result).map(({ hash, vector }) => [hash, readVector(vector)]));
    },
  };
}
