import { afterAll, beforeAll, expect, it } from "vitest";
import { openCopy, type OpenedCopy } from "../test/database-copy.js";
import { batchOf, chunkOf, openSample, startFilling, type Filling } from "./testing/sealed-sample.js";

const ROWS = 600;
let opened: OpenedCopy;
beforeAll(async () => {
  opened = await openCopy({ minIndexedRows: 500 });
});
afterAll(() => opened.close());

/** Deterministic numbers between -1 and 1. */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

async function fill(
  rows: number,
  seal: { dims: number; similarity: "cosine" | "dot" | "euclidean"; storage: "vector" | "halfvec" },
): Promise<Filling> {
  const ids = Array.from({ length: rows }, (_, i) => `d${String(i).padStart(5, "0")}`);
  const filling = await startFilling(opened.store, ids, { seal });
  const documents = ids.map((documentId, i) => ({
    documentId,
    version: filling.version,
    chunks: [chunkOf(documentId, 0, numbers(seal.dims, i + 1))],
  }));
  await filling.writer.writeBatch(batchOf(filling, documents));
  return filling;
}

it.each([
  ["cosine", "vector"],
  ["dot", "vector"],
  ["euclidean", "halfvec"],
  ["cosine", "halfvec"],
] as const)("an index for %s over %s finds what the exact search finds", async (similarity, storage) => {
  const filling = await fill(ROWS, { dims: 8, similarity, storage });
  expect((await filling.writer.buildIndex()).built).toBe(true);
  const reader = await openSample(opened.store, filling);
  expect(await reader.index()).toBe("hnsw");
  let found = 0;
  for (let q = 0; q < 20; q++) {
    const vector = new Float32Array(numbers(8, 10_000 + q));
    const exact = await reader.searchDense({ vector, limit: 10, exact: true });
    const indexed = await reader.searchDense({ vector, limit: 10 });
    const wanted = new Set(exact.map(({ documentId }) => documentId));
    found += indexed.filter(({ documentId }) => wanted.has(documentId)).length;
    expect(indexed.map(({ score }) => score)).toEqual(indexed.map(({ score }) => score).toSorted((a, b) => b - a));
  }
  expect(found / 200).toBeGreaterThanOrEqual(0.95);
  expect(await reader.searchDense({ vector: new Float32Array(numbers(8, 1)), limit: ROWS })).toHaveLength(ROWS);
});

it("the exact search never uses the index, the other one does", async () => {
  const filling = await fill(ROWS, { dims: 8, similarity: "cosine", storage: "vector" });
  await filling.writer.buildIndex();
  const scans = async (exact: boolean) => {
    const used = async () => {
      await opened.driver.exec("SELECT pg_stat_force_next_flush()");
      const { rows } = await opened.driver.query("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1", [
        `ns_${filling.record.id}_embedding`,
      ]);
      return Number(rows[0]?.["idx_scan"]);
    };
    const before = await used();
    const reader = await openSample(opened.store, filling);
    await reader.searchDense({ vector: new Float32Array(numbers(8, 3)), limit: 5, exact });
    return (await used()) - before;
  };
  await opened.driver.exec("SET enable_seqscan = off"); // whatever the planner thinks of the size of the table
  expect(await scans(true)).toBe(0);
  await opened.driver.exec("RESET enable_seqscan");
  expect(await scans(false)).toBe(1);
});

it("an invalid index is not used and is built anew", async () => {
  const filling = await fill(ROWS, { dims: 8, similarity: "cosine", storage: "vector" });
  await filling.writer.buildIndex();
  await opened.driver.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass($1)", [
    `emb.ns_${filling.record.id}_embedding`,
  ]);
  const reader = await openSample(opened.store, filling);
  expect(await reader.index()).toBe("none");
  expect(await reader.searchDense({ vector: new Float32Array(numbers(8, 3)), limit: 5 })).toHaveLength(5);
  expect((await filling.writer.buildIndex()).built).toBe(true);
  expect(await reader.index()).toBe("hnsw");
});

it("a namespace with an index takes new and changed chunks", async () => {
  const filling = await fill(ROWS, { dims: 8, similarity: "cosine", storage: "vector" });
  await filling.writer.buildIndex();
  const vector = numbers(8, 777_777);
  await filling.writer.writeBatch(
    batchOf(filling, [
      { documentId: "d00000", version: filling.version, chunks: [chunkOf("d00000", 0, vector, "new")] },
    ]),
  );
  const [best] = await (
    await openSample(opened.store, filling)
  ).searchDense({ vector: new Float32Array(vector), limit: 1 });
  expect([best?.documentId, best?.text]).toEqual(["d00000", "new"]);
});

it("many chunks of few texts stay exact, also where an index was before", async () => {
  const filling = await fill(ROWS, { dims: 8, similarity: "cosine", storage: "vector" });
  await filling.writer.buildIndex();
  const copy = (id: string) => ({
    documentId: id,
    version: filling.version,
    chunks: [chunkOf(id, 0, numbers(8, 1), "one text")],
  });
  const ids = Array.from({ length: ROWS }, (_, row) => `d${String(row).padStart(5, "0")}`);
  await filling.writer.writeBatch(batchOf(filling, ids.map(copy)));
  expect(await filling.writer.buildIndex()).toEqual({
    built: false,
    reason: `search is exact: ${ROWS} chunks have only 1 different texts, and an index loses its way among equal vectors`,
  });
  expect(await (await openSample(opened.store, filling)).index()).toBe("none");
});

it("more dims than the index takes stay exact, and say so", async () => {
  const filling = await fill(520, { dims: 2_001, similarity: "cosine", storage: "vector" });
  expect(await filling.writer.buildIndex()).toEqual({
    built: false,
    reason: "search is exact: 2001 dims are more than the index takes for vector (2000)",
  });
  const vector = new Float32Array(numbers(2_001, 5));
  const [best] = await (await openSample(opened.store, filling)).searchDense({ vector, limit: 1 });
  expect(best?.documentId).toBe("d00004");
  expect(best?.score).toBeCloseTo(1, 5);
});

it("half precision keeps eleven bits, and refuses what would become infinite", async () => {
  const filling = await startFilling(opened.store, ["a", "b"], { seal: { storage: "halfvec" } });
  const write = (id: string, values: number[]) =>
    filling.writer.writeBatch(
      batchOf(filling, [{ documentId: id, version: filling.version, chunks: [chunkOf(id, 0, values)] }]),
    );
  await write("a", [1 / 3, -65_504, 6e-8, 2049]);
  const [sample] = await (await openSample(opened.store, filling)).sampleVectors({ limit: 1, seed: 1 });
  expect([...sample!.vector]).toEqual([0.333251953125, -65_504, 5.960464477539063e-8, 2048]);
  await expect(write("b", [70_000, 0, 0, 1])).rejects.toMatchObject({ code: "EMB_VECTOR_INVALID" });
});

it("a vector of zeros has no direction: refused for cosine, taken for the inner product", async () => {
  for (const [similarity, fails] of [
    ["cosine", true],
    ["dot", false],
  ] as const) {
    const filling = await startFilling(opened.store, ["a"], { seal: { similarity } });
    const written = filling.writer.writeBatch(
      batchOf(filling, [{ documentId: "a", version: filling.version, chunks: [chunkOf("a", 0, [0, -0, 0, 0])] }]),
    );
    if (fails) await expect(written).rejects.toMatchObject({ code: "EMB_VECTOR_INVALID" });
    else expect(await written).toEqual({ superseded: 0 });
  }
});
