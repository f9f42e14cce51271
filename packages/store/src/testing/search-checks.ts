import assert from "node:assert/strict";
import type { Similarity } from "@emb/manifest";
import type { Store } from "../store.js";
import { refused, type StoreCheck } from "./namespace-checks.js";
import { batchOf, chunkOf, chunksOf, documentOf, hex, openSample, sha256, startFilling } from "./sealed-sample.js";

const query = new Float32Array([2, 0, 0, 0]);

/** One chunk for each vector, in documents d0, d1, ... */
async function fill(store: Store, vectors: readonly (readonly number[])[], similarity: Similarity = "cosine") {
  const ids = vectors.map((_, i) => `d${i}`);
  const filling = await startFilling(store, ids, { seal: { similarity } });
  const documents = vectors.map((vector, i) => ({
    documentId: `d${i}`,
    version: filling.version,
    chunks: [chunkOf(`d${i}`, 0, vector)],
  }));
  await filling.writer.writeBatch(batchOf(filling, documents));
  return { filling, reader: await openSample(store, filling) };
}

async function scores(store: Store, similarity: Similarity) {
  const { reader } = await fill(
    store,
    [
      [3, 4, 0, 0],
      [0, 1, 0, 0],
      [1, 0, 0, 0],
      [-1, 0, 0, 0],
    ],
    similarity,
  );
  const hits = await reader.searchDense({ vector: query, limit: 10 });
  return hits.map(({ documentId, score }) => [documentId, Math.round(score * 1e5) / 1e5]);
}

export const searchChecks = {
  "cosine similarity is the score": async (store) =>
    assert.deepEqual(await scores(store, "cosine"), [
      ["d2", 1],
      ["d0", 0.6],
      ["d1", 0],
      ["d3", -1],
    ]),
  "the inner product is the score": async (store) =>
    assert.deepEqual(
      await scores(store, "dot"),
      [
        ["d0", 6],
        ["d2", 2],
        ["d1", 0],
        ["d3", -2],
      ].map(([id, score]) => [id, score]),
    ),
  "minus the Euclidean distance is the score": async (store) =>
    assert.deepEqual(await scores(store, "euclidean"), [
      ["d2", -1],
      ["d1", -2.23607],
      ["d3", -3],
      ["d0", -4.12311],
    ]),
  "equal scores come in order of document and ordinal": async (store) => {
    const ids = ["é", "Z", "a", "b/1", "b"];
    const filling = await startFilling(store, ids);
    const documents = ids.map((documentId) => ({
      documentId,
      version: filling.version,
      chunks: [chunkOf(documentId, 0, [1, 0, 0, 0]), chunkOf(documentId, 1, [2, 0, 0, 0])],
    }));
    await filling.writer.writeBatch(batchOf(filling, documents));
    const hits = await (await openSample(store, filling)).searchDense({ vector: query, limit: 7 });
    assert.deepEqual(
      hits.map(({ documentId, ordinal }) => `${documentId}#${ordinal}`),
      ["Z#0", "Z#1", "a#0", "a#1", "b#0", "b#1", "b/1#0"],
    );
  },
  "a hit carries its text and where it is from": async (store) => {
    const { filling, reader } = await fill(store, [[1, 0, 0, 0]]);
    const [hit] = await reader.searchDense({ vector: query, limit: 1, exact: true });
    assert.ok(hit !== undefined);
    const { embeddedAt, ...provenance } = hit.provenance;
    assert.deepEqual([hit.text, hit.headingPath, hit.ordinal], ["d0#0", "Top > Part", 0]);
    assert.deepEqual(provenance, {
      contentHash: hex(sha256("d0#0")),
      documentVersion: filling.version,
      runId: filling.runId,
    });
    assert.ok(Math.abs(embeddedAt.getTime() - Date.now()) < 86_400_000);
  },
  "as many hits as asked for, fewer only when there are fewer chunks": async (store) => {
    const { reader } = await fill(
      store,
      Array.from({ length: 30 }, (_, i) => [1, i, 0, 0]),
    );
    for (const [limit, want] of [
      [1, 1],
      [29, 29],
      [1_000, 30],
    ] as const) {
      assert.equal((await reader.searchDense({ vector: query, limit })).length, want);
      assert.equal((await reader.searchDense({ vector: query, limit, exact: true })).length, want);
    }
  },
  "a query of wrong dims or with numbers that are not finite is refused": async (store) => {
    const { reader } = await fill(store, [[1, 0, 0, 0]]);
    for (const vector of [
      [1, 2, 3],
      [1, 2, 3, 4, 5],
      [Number.NaN, 0, 0, 1],
      [0, 0, Number.POSITIVE_INFINITY, 0],
    ]) {
      await refused(reader.searchDense({ vector: new Float32Array(vector), limit: 1 }), "EMB_VECTOR_INVALID");
    }
  },
  "documents and chunks are counted": async (store) => {
    const filling = await startFilling(store, ["a", "b", "c"]);
    const reader = await openSample(store, filling);
    assert.deepEqual(await reader.count(), { documents: 0, chunks: 0 });
    const gap = { documentId: "b", version: filling.version, chunks: [chunkOf("b", 1, [1, 0, 0, 0])] };
    await filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version, 2), gap]));
    assert.deepEqual(await reader.count(), { documents: 2, chunks: 3 });
  },
  "documents that are not shown as they are now are lag": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const reader = await openSample(store, filling);
    assert.equal(await reader.lag(), 2);
    await filling.writer.writeBatch(
      batchOf(filling, [chunksOf("a", filling.version), { documentId: "b", version: filling.version, chunks: [] }]),
    );
    assert.equal(await reader.lag(), 0);
    const { base, runId, version } = filling;
    await store.documents.intake({
      base,
      runId,
      source: "sample",
      documents: [documentOf("a", version + 1n, { text: "newer" })],
    });
    assert.equal(await reader.lag(), 1);
  },
  "scanning pages through all chunks in order of their key": async (store) => {
    const ids = ["é", "Z", "a", "a b"];
    const filling = await startFilling(store, ids);
    await filling.writer.writeBatch(
      batchOf(
        filling,
        ids.map((id) => chunksOf(id, filling.version, 2)),
      ),
    );
    const reader = await openSample(store, filling);
    const seen: string[] = [];
    for (let after: { documentId: string; ordinal: number } | null = null; ;) {
      const page: Awaited<ReturnType<typeof reader.scan>> = await reader.scan({ after, limit: 3 });
      seen.push(...page.map(({ documentId, ordinal }) => `${documentId}#${ordinal}`));
      after = page.at(-1) ?? null;
      if (after === null) break;
    }
    assert.deepEqual(seen, ["Z#0", "Z#1", "a#0", "a#1", "a b#0", "a b#1", "é#0", "é#1"]);
  },
  "scanning tells content hash, version, dims, norm and what is shown": async (store) => {
    const { filling, reader } = await fill(store, [[3, 4, 0, 0]]);
    const [row] = await reader.scan({ after: null, limit: 10 });
    assert.ok(row !== undefined);
    assert.deepEqual(
      [hex(row.contentHash), row.documentVersion, row.dims, row.norm, hex(row.shownHash)],
      [hex(sha256("d0#0")), filling.version, 4, 5, hex(sha256("Top > Part\0d0#0"))],
    );
  },
  "the same seed samples the same vectors": async (store) => {
    const { reader } = await fill(
      store,
      Array.from({ length: 40 }, (_, i) => [1, i, 0, 0]),
    );
    const first = await reader.sampleVectors({ limit: 10, seed: 1 });
    assert.equal(first.length, 10);
    assert.deepEqual(await reader.sampleVectors({ limit: 10, seed: 1 }), first);
    const other = await reader.sampleVectors({ limit: 10, seed: 2 });
    assert.notDeepEqual(
      other.map(({ documentId }) => documentId),
      first.map(({ documentId }) => documentId),
    );
    for (const { documentId, vector } of first) assert.deepEqual([...vector], [1, Number(documentId.slice(1)), 0, 0]);
  },
  "content that has a vector is found by its hash, and no other": async (store) => {
    const { reader } = await fill(store, [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
    ]);
    const found = await reader.findContent([sha256("d0#0"), sha256("d1#0"), sha256("d0#0"), sha256("another")]);
    assert.deepEqual([...found].toSorted(), [hex(sha256("d0#0")), hex(sha256("d1#0"))].toSorted());
    assert.equal((await reader.findContent([])).size, 0);
  },
} satisfies Record<string, StoreCheck>;
