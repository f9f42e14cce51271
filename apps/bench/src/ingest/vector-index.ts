import { randomUUID } from "node:crypto";
import type { DocumentChunks, Seal, Store } from "@emb/store";
import { openServerStore } from "@emb/store/server";
import type { Client } from "pg";
import { DIMS } from "../client/texts.js";
import { atLeast, atMost, pairedRatio, row } from "../report.js";
import type { BenchWorld } from "./bench-world.js";
import { copyByHand, encodeByHand, handTable, sha256, upsertByHand, withClient } from "./by-hand.js";
import { documentId, documentText } from "./corpus.js";
import { measured, type Section } from "./fill.js";
import type { IndexFigures, TaskOf } from "./task.js";

const BATCH_ROWS = 1_000;
const QUERIES = 400;
/** As in a service that has run for a while: the engine has compiled, and the indexes are in memory. */
const WARM_UP = 200;
/** An exact search reads the whole table. */
const RECALL_QUERIES = 200;
const TOP_K = 10;
/** As the store searches for ten. */
const SEARCH_LIST = 100;

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

/** Through the store and by hand, the same rows: load then index, upserts with the index live, the build alone, and queries. */
export async function measureIndex(world: BenchWorld, rounds: number, rows: number): Promise<Section> {
  const seen: IndexFigures[] = [];
  for (let round = 0; round < rounds; round++)
    await measured(world, async (schema) => {
      seen.push(await world.runIndex({ name: "index", schema, documents: rows }));
    });
  const of = (name: keyof IndexFigures) => seen.map((figures) => figures[name]);
  return {
    rows: [
      row(
        "load, then index: emb",
        "rows/s",
        of("load_then_index").map((seconds) => rows / seconds),
      ),
      row(
        "upserts with the index live",
        "rows/s",
        of("live").map((seconds) => rows / seconds),
      ),
      row("HNSW build: emb", "s", of("emb_build")),
      row("HNSW build: plain pgvector", "s", of("plain_build")),
      row(`query, HNSW, ${TOP_K} nearest, p50: emb`, "ms", of("emb_query_ms")),
      row(`query, HNSW, ${TOP_K} nearest, p50: plain pgvector`, "ms", of("plain_query_ms")),
      row("recall@10: emb", "", of("emb_recall")),
      row("recall@10: plain pgvector", "", of("plain_recall")),
    ],
    goals: [
      atLeast("load then index / upserts with the index live", pairedRatio(of("live"), of("load_then_index")), 2.5),
      atMost("HNSW build: emb / plain pgvector", pairedRatio(of("emb_build"), of("plain_build")), 1.1),
      atMost("HNSW query: emb / plain pgvector", pairedRatio(of("emb_query_ms"), of("plain_query_ms")), 1.1),
      atLeast("HNSW recall@10: emb", Math.min(...of("emb_recall")), 0.99),
    ],
  };
}

/** Unit vectors around 200 centres, as texts about 200 things have: random ones have no neighbours worth finding. */
function makeVectors(count: number): Float32Array {
  let state = 7;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32 - 0.5;
  const centres = Float32Array.from({ length: 200 * DIMS }, random);
  const matrix = new Float32Array(count * DIMS);
  for (let i = 0; i < count; i++) {
    const centre = (i % 200) * DIMS;
    const vector = matrix.subarray(i * DIMS, (i + 1) * DIMS);
    let square = 0;
    for (let k = 0; k < DIMS; k++) square += (vector[k] = centres[centre + k]! + 0.6 * random()) ** 2;
    for (let k = 0; k < DIMS; k++) vector[k]! /= Math.sqrt(square);
  }
  return matrix;
}

export const indexTask = (task: TaskOf<"index">): Promise<IndexFigures> =>
  withClient(task.database, async (client) => {
    const { documents: count, schema } = task;
    const matrix = makeVectors(count + QUERIES);
    const vectorOf = (i: number) => matrix.subarray(i * DIMS, (i + 1) * DIMS);
    const store = await openServerStore({ connectionString: task.database, schema });
    try {
      const filled = await startFill(store, count);
      const start = performance.now();
      for (let from = 0; from < count; from += BATCH_ROWS) await filled.write(from, vectorOf);
      const loaded = performance.now();
      await filled.writer.buildIndex();
      const built = performance.now();

      const batches = Array.from({ length: count / BATCH_ROWS }, (_, batch) => {
        const numbers = Array.from({ length: BATCH_ROWS }, (__, i) => batch * BATCH_ROWS + i);
        const texts = numbers.map((i) => documentText(i, []));
        const vectors = matrix.subarray(batch * BATCH_ROWS * DIMS, (batch + 1) * BATCH_ROWS * DIMS);
        return encodeByHand(numbers.map(documentId), texts.map(sha256), texts, vectors);
      });
      await client.query(handTable(`${schema}.live`));
      await client.query(hnsw(`${schema}.live`));
      await client.query(`CREATE TEMP TABLE staging (LIKE ${schema}.live) ON COMMIT DELETE ROWS`);
      const liveStart = performance.now();
      for (const bytes of batches) await upsertByHand(client, `${schema}.live`, bytes);
      const liveEnd = performance.now();
      await client.query(`DROP TABLE ${schema}.live`);

      await client.query(handTable(`${schema}.plain`));
      for (const bytes of batches) await copyByHand(client, `${schema}.plain`, bytes);
      await client.query(`ANALYZE ${schema}.plain`);
      // in a session of its own, as the store's: one that has built before is 7% faster
      const plainBuild = await withClient(task.database, async (builder) => {
        await builder.query("SET maintenance_work_mem = '256MB'; SET max_parallel_maintenance_workers = 0");
        const plainStart = performance.now();
        await builder.query(hnsw(`${schema}.plain`));
        return (performance.now() - plainStart) / 1000;
      });

      const reader = await store.namespaces.openReader(filled.address, SEAL, { strict: true });
      const emb = async (vector: Float32Array, exact: boolean) =>
        (await reader.searchDense({ vector, limit: TOP_K, exact })).map((hit) => hit.documentId);
      const queries = Array.from({ length: QUERIES }, (_, i) => vectorOf(count + i));
      const times = { emb: [] as number[], plain: [] as number[] };
      const found = { emb: 0, plain: 0 };
      await client.query(`SET hnsw.ef_search = ${SEARCH_LIST}; SET enable_seqscan = off`);
      const answers = { emb: [] as string[][], plain: [] as string[][] };
      const search = {
        emb: (vector: Float32Array) => emb(vector, false),
        plain: (vector: Float32Array) => plainSearch(client, `${schema}.plain`, vector),
      };
      for (const [n, vector] of [...queries.slice(0, WARM_UP), ...queries].entries())
        for (const who of n % 2 === 0 ? (["emb", "plain"] as const) : (["plain", "emb"] as const)) {
          const begin = performance.now();
          const hits = await search[who](vector);
          if (n < WARM_UP) continue;
          times[who].push(performance.now() - begin);
          answers[who].push(hits);
        }
      // apart from the timed ones: an exact search pushes an index out of the server's memory
      for (const [n, vector] of queries.slice(0, RECALL_QUERIES).entries()) {
        const wanted = new Set(await emb(vector, true));
        found.emb += answers.emb[n]!.filter((id) => wanted.has(id)).length;
        found.plain += answers.plain[n]!.filter((id) => wanted.has(id)).length;
      }
      const p50 = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
      return {
        load_then_index: (built - start) / 1000,
        live: (liveEnd - liveStart) / 1000,
        emb_build: (built - loaded) / 1000,
        plain_build: plainBuild,
        emb_query_ms: p50(times.emb),
        plain_query_ms: p50(times.plain),
        emb_recall: found.emb / (TOP_K * RECALL_QUERIES),
        plain_recall: found.plain / (TOP_K * RECALL_QUERIES),
      };
    } finally {
      await store.close();
    }
  });

const hnsw = (table: string) =>
  `CREATE INDEX ON ${table} USING hnsw (embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64)`;

async function plainSearch(client: Client, table: string, vector: Float32Array): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id, text, hash, embedding <=> $1 AS distance FROM ${table} ORDER BY distance LIMIT ${TOP_K}`,
    [`[${vector.join(",")}]`],
  );
  return rows.map(({ id }) => id);
}

/** A namespace with its documents taken in, to be written through the port. */
async function startFill(store: Store, count: number) {
  const address = { base: "index", suffix: "bench", mode: "profile", namespace: "index_bench" } as const;
  const { id: namespaceId } = await store.namespaces.create(address, SEAL);
  const version = await store.documents.nextVersion();
  const runId = randomUUID();
  await store.runs.create({
    id: runId,
    base: address.base,
    namespaceId,
    profile: SEAL.profile,
    source: "bench",
    version,
  });
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (let from = 0; from < count; from += BATCH_ROWS) {
    const documents = numbers.slice(from, from + BATCH_ROWS).map((i) => {
      const text = documentText(i, []);
      const head = { id: documentId(i), title: null, format: "text", text, metadata: {} } as const;
      return { ...head, version, contentHash: sha256(text) };
    });
    await store.documents.intake({ base: address.base, runId, source: "bench", documents });
  }
  await store.runs.cutShards(runId, count);
  const writer = await store.namespaces.openWriter(address, SEAL);
  const lease = await store.runs.claimShard(runId, { owner: "bench", leaseMs: 600_000 });
  if (lease === null) throw new Error("there is no shard to fill");
  return {
    address,
    writer,
    async write(from: number, vectorOf: (i: number) => Float32Array): Promise<void> {
      const documents = numbers.slice(from, from + BATCH_ROWS).map((i): DocumentChunks => {
        const text = documentText(i, []);
        const chunk = {
          documentId: documentId(i),
          ordinal: 0,
          contentHash: sha256(text),
          text,
          headingPath: "",
          vector: vectorOf(i),
        };
        return { documentId: documentId(i), version, chunks: [chunk] };
      });
      const chunks = documents.length;
      const counters = { documents: chunks, chunks, embedded: chunks, skipped: 0, failed: 0, tokens: 0 };
      await writer.writeBatch({ lease, documents, cursor: documents.at(-1)!.documentId, counters, failures: [] });
    },
  };
}
