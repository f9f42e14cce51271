import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createEmbeddedDriver,
  openPostgresStore,
  type DocumentChunks,
  type Seal,
  type SqlDriver,
  type Store,
} from "@emb/store";
import { atLeast, interleave, machine, pairedRatio, row, type BenchReport } from "./report.js";
import { copyByHand, createHandTable, insertByHand } from "./store-limit.js";
import { DIMS, makeDocuments } from "./store-rows.js";

const ROUNDS = 7;
const EXTRA_ROUNDS = 3; // of what no goal rests on
const ROWS = 100_000;
const INSERTED_ROWS = 2_000; // multi-row INSERT is too slow for all of them; its speed does not depend on their number
const CHUNKS_PER_DOCUMENT = 10; // documents of 5 kB
const BATCH_ROWS = 2_000;
const SHARDS = 2;
const BASE = "bench";
const SAMPLE = 200;

const SEAL: Seal = {
  spaceId: "space",
  fingerprint: "fingerprint",
  chunkerId: "chunker",
  profile: "bench",
  provider: "none",
  modelId: "none",
  dims: DIMS,
  similarity: "cosine",
  storage: "vector",
  witness: [],
};

interface Bench {
  readonly driver: SqlDriver;
  readonly store: Store;
  /** In order of id. */
  readonly documents: readonly DocumentChunks[];
  readonly version: bigint;
}

function inBatches(documents: readonly DocumentChunks[]): DocumentChunks[][] {
  const size = Math.max(1, BATCH_ROWS / documents[0]!.chunks.length);
  return Array.from({ length: Math.ceil(documents.length / size) }, (_, i) =>
    documents.slice(i * size, (i + 1) * size),
  );
}

const rowsPerSecond = (documents: readonly DocumentChunks[], ms: number): number =>
  (documents.reduce((sum, { chunks }) => sum + chunks.length, 0) / ms) * 1_000;

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`benchmark store: ${what}`);
}

/** A table by hand, filled, counted and dropped. @returns rows a second */
async function byHand(
  { driver }: Bench,
  documents: readonly DocumentChunks[],
  options: string,
  fill: (driver: SqlDriver, table: string, batches: DocumentChunks[][]) => Promise<number>,
): Promise<number> {
  const table = "public.by_hand";
  await driver.exec(createHandTable(table, options));
  await driver.exec("CHECKPOINT");
  const ms = await fill(driver, table, inBatches(documents));
  const { rows } = await driver.query(`SELECT count(*)::integer AS rows FROM ${table}`);
  must(rows[0]?.["rows"] === documents.length * documents[0]!.chunks.length, "a row written by hand is missing");
  await driver.exec(`DROP TABLE ${table}`);
  return rowsPerSecond(documents, ms);
}

/** Through the port: two leased shards at once, each batch checked, committed with cursor and counters. @returns rows a second */
async function throughPort(
  { store, driver, version }: Bench,
  documents: readonly DocumentChunks[],
  lookUp: boolean,
): Promise<number> {
  const address = { base: BASE, suffix: "bench", mode: "profile", namespace: `${BASE}_bench` } as const;
  const { id: namespaceId } = await store.namespaces.create(address, SEAL);
  const id = crypto.randomUUID();
  await store.runs.create({ id, base: BASE, namespaceId, profile: "bench", source: "bench", version });
  const perShard = Math.ceil(documents.length / SHARDS);
  await store.runs.cutShards(id, perShard);
  const writer = await store.namespaces.openWriter(address, SEAL);
  await driver.exec("CHECKPOINT");

  const start = performance.now();
  await Promise.all(
    Array.from({ length: SHARDS }, async () => {
      const lease = await store.runs.claimShard(id, { owner: "bench", leaseMs: 60_000 });
      must(lease !== null, "no shard is free");
      for (const batch of inBatches(documents.slice(lease.shard * perShard, (lease.shard + 1) * perShard))) {
        const chunks = batch.reduce((sum, document) => sum + document.chunks.length, 0);
        if (lookUp)
          await writer.findVectors(batch.flatMap((document) => document.chunks.map(({ contentHash }) => contentHash)));
        const { superseded } = await writer.writeBatch({
          lease,
          documents: batch,
          cursor: batch.at(-1)!.documentId,
          counters: { documents: batch.length, chunks, embedded: chunks, skipped: 0, failed: 0, tokens: chunks },
          failures: [],
        });
        must(superseded === 0, "a document was superseded");
      }
      await store.runs.complete(lease);
    }),
  );
  const ms = performance.now() - start;

  await verify(store, documents, await store.namespaces.openReader(address, SEAL, { strict: true }));
  must((await store.runs.get(id))?.shards.done === SHARDS, "a shard is not done");
  await store.namespaces.retire(namespaceId);
  return rowsPerSecond(documents, ms);
}

async function verify(
  store: Store,
  documents: readonly DocumentChunks[],
  reader: Awaited<ReturnType<Store["namespaces"]["openReader"]>>,
) {
  const counted = await reader.count();
  must(
    counted.documents === documents.length && counted.chunks === documents.length * documents[0]!.chunks.length,
    "a row is missing",
  );
  must((await reader.lag()) === 0, "the namespace lags");
  const given = new Map(documents.map((document) => [document.documentId, document]));
  const sample = await reader.sampleVectors({ limit: SAMPLE, seed: 7 });
  must(sample.length === SAMPLE, "the sample is short");
  for (const { documentId, ordinal, vector } of sample) {
    const expected = given.get(documentId)?.chunks[ordinal]?.vector;
    must(
      expected !== undefined && vector.every((value, i) => value === expected[i]),
      `another vector came back for ${documentId}#${ordinal}`,
    );
  }
}

async function takeIn({
  store,
  documents,
  version,
}: Bench): Promise<{ newPerSecond: number; unchangedPerSecond: number }> {
  const pass = async (runId: string): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < documents.length; i += 1_000) {
      const page = documents.slice(i, i + 1_000).map(({ documentId, chunks }) => ({
        id: documentId,
        title: null,
        format: "text" as const,
        text: chunks[0]!.text,
        metadata: {},
        version,
        contentHash: chunks[0]!.contentHash,
      }));
      await store.documents.intake({ base: BASE, runId, source: "bench", documents: page });
    }
    return (documents.length / (performance.now() - start)) * 1_000;
  };
  return { newPerSecond: await pass("first"), unchangedPerSecond: await pass("second") };
}

/** The table options that the store gives a namespace: rows of up to 8 kB stay whole. */
const WHOLE_ROWS = "WITH (toast_tuple_target = 8160)";

/**
 * 100,000 x 384 with 490 bytes of distinct text into PGlite, through the public port and by hand, in turn on one database. The limit writes the
 * same rows to the same columns, key and table options over the same worker thread; store-limit.ts says what it leaves out.
 */
export async function runStore(): Promise<BenchReport> {
  const directory = await mkdtemp(join(tmpdir(), "emb-bench-"));
  const driver = await createEmbeddedDriver({ directory: join(directory, "postgres") });
  try {
    const store = await openPostgresStore(driver);
    const version = await store.documents.nextVersion();
    const documents = makeDocuments(ROWS, CHUNKS_PER_DOCUMENT, version);
    const bench = { driver, store, documents, version };
    const { newPerSecond, unchangedPerSecond } = await takeIn(bench);
    const few = documents.slice(0, INSERTED_ROWS / CHUNKS_PER_DOCUMENT);
    const insert = () => byHand(bench, few, WHOLE_ROWS, insertByHand);
    // what writes 280 MB slows the next one down: so both follow the same light one
    const seen = await interleave(ROUNDS, {
      insertFirst: insert,
      limit: () => byHand(bench, documents, WHOLE_ROWS, copyByHand),
      insert,
      port: () => throughPort(bench, documents, false),
    });
    const extra = await interleave(EXTRA_ROUNDS, {
      plain: () => byHand(bench, documents, "", copyByHand),
      lookedUp: () => throughPort(bench, documents, true),
    });
    return {
      name: "store",
      machine: machine(),
      rounds: ROUNDS,
      rows: [
        row("through the port", "rows/s", seen.port),
        row("binary COPY by hand, same table", "rows/s", seen.limit),
        row("binary COPY by hand, PostgreSQL's own table options", "rows/s", extra.plain),
        row("multi-row INSERT by hand", "rows/s", [...seen.insertFirst, ...seen.insert]),
        row("through the port, contents looked up before each batch", "rows/s", extra.lookedUp),
        row("intake of new documents", "documents/s", [newPerSecond]),
        row("intake of unchanged documents", "documents/s", [unchangedPerSecond]),
      ],
      goals: [
        atLeast("port / binary COPY by hand", pairedRatio(seen.port, seen.limit), 0.8),
        atLeast("port / multi-row INSERT", pairedRatio(seen.port, seen.insert), 20),
      ],
    };
  } finally {
    await driver.close();
    await rm(directory, { recursive: true });
  }
}
