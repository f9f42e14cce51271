import { z } from "zod";
import { DISTANCE, MAX_INDEXED_DIMS, tableName } from "./namespace-table.js";
import type { NamespaceRecord } from "./namespaces.js";
import { pause } from "./pause.js";
import type { SqlDriver, SqlSession } from "./sql-driver.js";
import { parseOneRow, parseRow } from "./sql-rows.js";

// pgvector's own defaults; recall@10 0.996 at ef_search 100 on 100,000 x 384, measured
const LINKS = 16;
const CONSTRUCTION_LIST = 64;
/**
 * Rows with one vector that pgvector keeps in one element of the graph (its HNSW_HEAPTIDS). With more, elements of equal vectors have only each
 * other for neighbours, and a search that starts outside never gets there: recall@10 0.8 with 100,000 rows of 100 texts, measured.
 */
const MOST_COPIES = 10;
/** Bytes that pgvector keeps for each row while it builds, beside the vector: links of all layers and the element. */
const BUILD_BYTES_PER_ROW = 400;

/** Between two looks whether another process has built the index. */
const BUILDER_POLL_MS = 500;

const IndexRow = z.object({ valid: z.boolean() });
const CountRow = z.object({ rows: z.int(), texts: z.int() });
const LockRow = z.object({ held: z.boolean() });
const BuildingRow = z.object({ building: z.boolean() });
const VersionRow = z.object({ parallel_is_safe: z.boolean() });

const indexName = (record: NamespaceRecord) => `ns_${record.id}_embedding`;

/** Null: there is no index. */
async function readIndex(
  session: SqlSession,
  schema: string,
  record: NamespaceRecord,
): Promise<{ valid: boolean } | null> {
  const result = await session.query(
    `SELECT i.indisvalid AS valid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = to_regclass($1) AND c.relname = $2`,
    [tableName(schema, record.id), indexName(record)],
  );
  return parseRow(IndexRow, result);
}

export async function readIndexKind(
  session: SqlSession,
  schema: string,
  record: NamespaceRecord,
): Promise<"none" | "hnsw"> {
  return (await readIndex(session, schema, record))?.valid === true ? "hnsw" : "none";
}

/** Builds the approximate index when it pays; drops an invalid one first. Statistics are refreshed either way. */
export async function buildIndex(
  driver: SqlDriver,
  schema: string,
  record: NamespaceRecord,
  signal: AbortSignal | undefined,
): Promise<{ built: boolean; reason: string }> {
  const table = tableName(schema, record.id);
  const { dims, similarity, storage } = record.seal;
  const { capabilities } = driver;
  signal?.throwIfAborted();
  // In line behind a build that is under way it would be what that build waits for; whoever builds has refreshed them.
  await driver.exec(`ANALYZE (SKIP_LOCKED) ${table}`);
  const counted = await driver.query(
    `SELECT count(*)::integer AS rows, count(DISTINCT content_hash)::integer AS texts FROM ${table}`,
  );
  const { rows, texts } = parseOneRow(CountRow, counted);
  const copied = rows > texts * MOST_COPIES;
  const there = { built: true, reason: "the index was there already" };
  const index = await readIndex(driver, schema, record);
  if (index?.valid === true && !copied) return there;
  const remove = `DROP INDEX IF EXISTS ${schema}.${indexName(record)}`;
  if (index !== null && copied) await driver.exec(remove);

  if (dims > MAX_INDEXED_DIMS[storage]) {
    return {
      built: false,
      reason: `search is exact: ${dims} dims are more than the index takes for ${storage} (${MAX_INDEXED_DIMS[storage]})`,
    };
  }
  if (rows < capabilities.minIndexedRows) {
    return {
      built: false,
      reason: `search is exact: ${rows} chunks are fewer than ${capabilities.minIndexedRows}, where an index begins to pay`,
    };
  }
  if (copied) {
    return {
      built: false,
      reason: `search is exact: ${rows} chunks have only ${texts} different texts, and an index loses its way among equal vectors`,
    };
  }
  signal?.throwIfAborted();

  const wanted = rows * (BUILD_BYTES_PER_ROW + dims * 4) * 1.25;
  const memoryKb = Math.ceil(Math.min(Math.max(wanted, 64 * 1024 * 1024), capabilities.indexBuildBytes) / 1024);
  // A build takes hours where the rest takes seconds: the timeouts that a database has for those would end it each time anew.
  const settings: Record<string, string> = {
    maintenance_work_mem: `${memoryKb}kB`,
    statement_timeout: "0",
    lock_timeout: "0",
  };
  // Of the table, not of the session: a pooler in between cannot lose it, and every builder keeps to it.
  const keepSafe = async () => {
    if (!(await parallelIsSafe(driver))) await driver.exec(`ALTER TABLE ${table} SET (parallel_workers = 0)`);
  };
  const create = (concurrently: string) =>
    `CREATE INDEX ${concurrently} ${indexName(record)} ON ${table}
     USING hnsw (embedding ${storage}_${DISTANCE[similarity].operatorClass}) WITH (m = ${LINKS}, ef_construction = ${CONSTRUCTION_LIST})`;
  if (capabilities.concurrentIndexBuild) {
    // One builder at a time: an index that another process is making looks invalid, and dropping it would undo that work. Held by a lock that
    // nobody else takes: a writer that stood in line for a row of this transaction would be what the build waits for, and no deadlock would be seen. The
    // transaction has no snapshot, so the build does not wait for it.
    for (;;) {
      const outcome = await driver.transaction(async (tx) => {
        const lock = await tx.query("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS held", [
          `emb index ${table}`,
        ]);
        if (!parseOneRow(LockRow, lock).held) return null;
        // silent as long as the build takes; also lets go of the cursor of the statement before, which would keep its snapshot
        await tx.exec("SET LOCAL idle_in_transaction_session_timeout = 0");
        const found = await readIndex(driver, schema, record);
        if (found?.valid === true) return there;
        if (await isBuilding(driver, table)) return null; // for a process that is dead: the server goes on
        await keepSafe();
        await driver.exec(remove); // a build that was cut off leaves an invalid one
        await driver.maintain(create("CONCURRENTLY"), settings);
        return { built: true, reason: `HNSW over ${rows} chunks` };
      });
      if (outcome !== null) return outcome;
      await pause(BUILDER_POLL_MS, signal);
    }
  }
  await keepSafe();
  await driver.transaction(async (tx) => {
    await tx.exec(remove);
    for (const [name, value] of Object.entries(settings)) await tx.exec(`SET LOCAL ${name} = '${value}'`);
    await tx.exec(create(""));
  });
  return { built: true, reason: `HNSW over ${rows} chunks` };
}

/**
 * Ends the build that is under way for a table, perhaps one that nobody waits for any more: whoever drops the table would wait for it, and the
 * build for whoever drops it.
 */
export async function cancelBuild({ capabilities }: SqlDriver, session: SqlSession, table: string): Promise<void> {
  if (!capabilities.concurrentIndexBuild) return;
  await session.query(
    "SELECT pg_cancel_backend(pid) FROM pg_catalog.pg_stat_progress_create_index WHERE relid = to_regclass($1)",
    [table],
  );
}

async function isBuilding(session: SqlSession, table: string): Promise<boolean> {
  const result = await session.query(
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index WHERE relid = to_regclass($1)) AS building",
    [table],
  );
  return parseOneRow(BuildingRow, result).building;
}

/** CVE-2026-3172: a parallel build below pgvector 0.8.2 can leak other rows' bytes. */
async function parallelIsSafe(session: SqlSession): Promise<boolean> {
  const result = await session.query(
    `SELECT string_to_array(extversion, '.')::integer[] >= ARRAY[0, 8, 2] AS parallel_is_safe FROM pg_catalog.pg_extension WHERE extname = 'vector'`,
  );
  return parseRow(VersionRow, result)?.parallel_is_safe === true;
}
