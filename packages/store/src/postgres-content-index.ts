import { z } from "zod";
import { isDatabaseError } from "./database-error.js";
import { tableName } from "./namespace-table.js";
import { pause } from "./pause.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow, parseRows } from "./sql-rows.js";
import { readVector } from "./vector-bytes.js";

const VectorRow = z.object({ hash: z.string(), vector: z.instanceof(Uint8Array) });
const LOCK_NOT_AVAILABLE = "55P03";
/** Between two looks whether a writer is in the middle of something, and how often: a batch is over by then. */
const BUSY_POLL_MS = 200;
const BUSY_POLLS = 10;

const StateRow = z.object({ filled: z.boolean(), made: z.boolean() });

/** Looks up the vectors of one namespace by the content they were made of. */
export interface ContentIndex {
  /**
   * Makes the database's index where there are rows and none is, unless writers are in the middle of something for seconds: whoever asks first makes it then.
   */
  makeUnlessBusy(signal?: AbortSignal): Promise<void>;
  /** Keyed by lower-case hex; absent when there is none. */
  findVectors(contentHashes: readonly Uint8Array[]): Promise<ReadonlyMap<string, Float32Array>>;
}

/**
 * The database's index is made when it is first asked for and there are rows, or once a fill is done: it takes a quarter off the speed of a bulk load
 * (see bench), which asks for nothing.
 */
export function createContentIndex(driver: SqlDriver, schema: string, namespaceId: number): ContentIndex {
  const table = tableName(schema, namespaceId);
  const name = `ns_${namespaceId}_content`;
  let indexed = false;

  const create = (wait: "" | "NOWAIT") =>
    driver.transaction(async (tx) => {
      await tx.exec(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE ${wait}`); // IF NOT EXISTS alone fails when two sessions meet
      await tx.exec(`CREATE INDEX IF NOT EXISTS ${name} ON ${table} (content_hash)`);
    });

  /** @returns false: there are no rows */
  const make = async (wait: "" | "NOWAIT"): Promise<boolean> => {
    if (indexed) return true;
    const result = await driver.query(
      `SELECT EXISTS (SELECT FROM ${table}) AS filled, to_regclass($1) IS NOT NULL AS made`,
      [`${schema}.${name}`],
    );
    const { filled, made } = parseOneRow(StateRow, result);
    if (!filled) return false;
    if (!made) await create(wait);
    indexed = true;
    return true;
  };

  return {
    makeUnlessBusy: async (signal) => {
      for (let polls = 0; polls < BUSY_POLLS; polls++) {
        signal?.throwIfAborted();
        try {
          await make("NOWAIT");
          return;
        } catch (error) {
          if (!isDatabaseError(error, LOCK_NOT_AVAILABLE)) throw error;
          await pause(BUSY_POLL_MS, signal);
        }
      }
    },

    findVectors: async (contentHashes) => {
      if (contentHashes.length === 0 || !(await make(""))) return new Map();
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
