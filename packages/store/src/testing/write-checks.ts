import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../store.js";
import { refused, type StoreCheck } from "./namespace-checks.js";
import {
  batchOf,
  chunkOf,
  chunksOf,
  documentOf,
  hex,
  openSample,
  sha256,
  startFilling,
  type Filling,
} from "./sealed-sample.js";

const counters = { documents: 1, chunks: 2, embedded: 1, skipped: 1, failed: 3, tokens: 40 };
const failure = { documentId: "a", ordinal: 7, code: "EMB_TEXT_TOO_LONG", reason: "600 tokens, at most 256" };

async function committedOf(store: Store, { base, record }: Filling): Promise<string[]> {
  const page = await store.documents.read({ base, after: null, through: null, limit: 1_000, committedIn: record.id });
  return page.map(({ id }) => id);
}

/** Keys of all chunks, and the shard's counters: what a batch that was refused must not have touched. */
async function state(store: Store, filling: Filling) {
  const reader = await openSample(store, filling);
  const run = await store.runs.get(filling.runId);
  const rows = await reader.scan({ after: null, limit: 1_000 });
  return {
    rows: rows.map(({ documentId, ordinal, contentHash, documentVersion }) => [
      documentId,
      ordinal,
      hex(contentHash),
      documentVersion,
    ]),
    counters: run?.counters,
    failures: run?.failures,
    committed: await committedOf(store, filling),
  };
}

async function refusedWhole(
  store: Store,
  filling: Filling,
  call: () => Promise<unknown>,
  code: "EMB_LEASE_LOST" | "EMB_VECTOR_INVALID",
) {
  const before = await state(store, filling);
  await refused(call(), code);
  assert.deepEqual(await state(store, filling), before);
}

export const writeChecks = {
  "a batch commits chunks, cursor, counters and failures together": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const { writer, version, runId, lease } = filling;
    assert.deepEqual(
      await writer.writeBatch(batchOf(filling, [chunksOf("a", version, 2)], { counters, failures: [failure] })),
      { superseded: 0 },
    );
    assert.deepEqual(await (await openSample(store, filling)).count(), { documents: 1, chunks: 2 });
    const run = await store.runs.get(runId);
    assert.deepEqual([run?.counters, run?.failures], [counters, 1]);
    assert.deepEqual(await store.runs.failures(runId, 10), [failure]);
    await store.runs.release(lease);
    assert.equal((await store.runs.claimShard(runId, { owner: "check", leaseMs: 60_000 }))?.cursor, "a");
  },
  "a repeated batch changes no chunk": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const batch = batchOf(
      filling,
      ["a", "b"].map((id) => chunksOf(id, filling.version, 3)),
    );
    await filling.writer.writeBatch(batch);
    const before = await state(store, filling);
    await filling.writer.writeBatch(batch);
    assert.deepEqual(await state(store, filling), before);
  },
  "a document's chunks replace all it had": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const { writer, version } = filling;
    await writer.writeBatch(
      batchOf(
        filling,
        ["a", "b"].map((id) => chunksOf(id, version, 3)),
      ),
    );
    await writer.writeBatch(
      batchOf(filling, [{ documentId: "a", version, chunks: [chunkOf("a", 1, [1, 0, 0, 0], "new")] }]),
    );
    const keys = await writer.readKeys(["a", "b", "c"]);
    assert.deepEqual(
      keys.map(({ documentId, ordinal }) => [documentId, ordinal]),
      [
        ["a", 1],
        ["b", 0],
        ["b", 1],
        ["b", 2],
      ],
    );
    assert.equal(hex(keys[0]!.contentHash), hex(sha256("new")));
  },
  "stored vectors are bit for bit the ones that came": async (store) => {
    const filling = await startFilling(store, ["a"]);
    const matrix = new Float32Array([9, 9, 0.1, -1e-38, 3.4e38, 1 / 3, 9]);
    const chunk = { ...chunkOf("a", 0, []), vector: matrix.subarray(2, 6) };
    await filling.writer.writeBatch(batchOf(filling, [{ documentId: "a", version: filling.version, chunks: [chunk] }]));
    const [sample] = await (await openSample(store, filling)).sampleVectors({ limit: 1, seed: 1 });
    assert.deepEqual(sample?.vector, Float32Array.from(chunk.vector));
    assert.deepEqual(
      (await filling.writer.findVectors([chunk.contentHash])).get(hex(chunk.contentHash)),
      Float32Array.from(chunk.vector),
    );
  },
  "wrong dims and numbers that are not finite are refused, and nothing of the batch is stored": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const { writer, version } = filling;
    for (const bad of [
      [1, 2, 3],
      [1, 2, 3, 4, 5],
      [1, Number.NaN, 0, 0],
      [Number.POSITIVE_INFINITY, 0, 0, 0],
      [0, 0, 0, Number.NEGATIVE_INFINITY],
    ]) {
      const documents = [chunksOf("a", version), { documentId: "b", version, chunks: [chunkOf("b", 0, bad)] }];
      await refusedWhole(
        store,
        filling,
        () => writer.writeBatch(batchOf(filling, documents, { counters })),
        "EMB_VECTOR_INVALID",
      );
    }
  },
  "a document with another version or a tombstone is left alone and counted": async (store) => {
    const filling = await startFilling(store, ["a", "b", "c"]);
    const { writer, version, base, runId } = filling;
    await writer.writeBatch(
      batchOf(
        filling,
        ["a", "b", "c"].map((id) => chunksOf(id, version)),
      ),
    );
    await store.documents.intake({
      base,
      runId,
      source: "sample",
      documents: [documentOf("a", version + 1n, { text: "newer" })],
    });
    await store.documents.delete({ base, documentId: "b", version });
    const stale = ["a", "b", "c", "never stored"].map((id) => chunksOf(id, version, 2));
    assert.deepEqual(await writer.writeBatch(batchOf(filling, stale)), { superseded: 3 });
    const { rows } = await state(store, filling);
    assert.deepEqual(
      rows.map(([id, ordinal]) => [id, ordinal]),
      [
        ["a", 0],
        ["c", 0],
        ["c", 1],
      ],
    );
    assert.deepEqual(await committedOf(store, filling), ["c"]);
  },
  "a lease that another holder took is refused, and nothing of the batch is stored": async (store) => {
    const filling = await startFilling(store, ["a", "b"], { leaseMs: 30 });
    await sleep(60);
    const other = await store.runs.claimShard(filling.runId, { owner: "other", leaseMs: 60_000 });
    assert.ok(other !== null);
    const late = batchOf(filling, [chunksOf("a", filling.version)], { counters, failures: [failure] });
    await refusedWhole(store, filling, () => filling.writer.writeBatch(late), "EMB_LEASE_LOST");
    await filling.writer.writeBatch({ ...late, lease: other });
  },
  "a lease that ran out is refused though nobody took it": async (store) => {
    const filling = await startFilling(store, ["a"], { leaseMs: 30 });
    await sleep(60);
    await refusedWhole(
      store,
      filling,
      () => filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)])),
      "EMB_LEASE_LOST",
    );
  },
  "a batch renews its lease": async (store) => {
    const filling = await startFilling(store, ["a", "b"], { leaseMs: 400 });
    await sleep(250);
    await filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)]));
    await sleep(250);
    await filling.writer.writeBatch(batchOf(filling, [chunksOf("b", filling.version)]));
  },
  "what is not committed in its current version is pending, in order": async (store) => {
    const filling = await startFilling(store, ["a", "b", "c", "d"]);
    const { writer, version, base, runId } = filling;
    const pending = async (change: { after?: string; through?: string; limit?: number; maxBytes?: number } = {}) =>
      (await writer.readPending({ after: null, through: null, limit: 10, maxBytes: 1_000, ...change })).map(
        ({ id }) => id,
      );
    assert.deepEqual(await pending(), ["a", "b", "c", "d"]);
    assert.deepEqual(await pending({ after: "a", through: "c" }), ["b", "c"]);
    assert.deepEqual(await pending({ limit: 1 }), ["a"]);
    assert.deepEqual(await pending({ maxBytes: 10 }), ["a", "b"]);
    await writer.writeBatch(
      batchOf(filling, [chunksOf("a", version, 2), chunksOf("b", version), { documentId: "c", version, chunks: [] }]),
    );
    assert.deepEqual(await pending(), ["d"]);
    await store.documents.intake({
      base,
      runId,
      source: "sample",
      documents: [documentOf("b", version + 1n, { text: "newer" })],
    });
    assert.deepEqual(await pending(), ["b", "d"]);
    const [document] = await writer.readPending({ after: null, through: null, limit: 1, maxBytes: 1 });
    assert.deepEqual([document?.text, document?.version], ["newer", version + 1n]);
  },
  "documents that are committed in a namespace can be read alone": async (store) => {
    const filling = await startFilling(store, ["a", "b", "c"]);
    const { base, record, version, writer } = filling;
    await writer.writeBatch(batchOf(filling, [chunksOf("a", version), { documentId: "b", version, chunks: [] }]));
    await store.documents.delete({ base, documentId: "a", version });
    const page = { base, after: null, through: null, limit: 10 };
    const ids = async (more: { committedIn?: number }) =>
      (await store.documents.read({ ...page, ...more })).map(({ id }) => id);
    assert.deepEqual(await ids({ committedIn: record.id }), ["b"]);
    assert.deepEqual(await ids({}), ["b", "c"]);
  },
  "a forgotten document is pending again": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const { writer, version } = filling;
    await writer.writeBatch(
      batchOf(
        filling,
        ["a", "b"].map((id) => chunksOf(id, version)),
      ),
    );
    await writer.forget(["b", "never stored"]);
    assert.deepEqual(
      (await writer.readPending({ after: null, through: null, limit: 10, maxBytes: 100 })).map(({ id }) => id),
      ["b"],
    );
  },
  "chunks of swept documents are gone at once": async (store) => {
    const filling = await startFilling(store, ["a", "b", "c"]);
    const { writer, version, base, runId } = filling;
    const reader = await openSample(store, filling);
    assert.equal(await reader.lag(), 3);
    await writer.writeBatch(
      batchOf(
        filling,
        ["a", "b", "c"].map((id) => chunksOf(id, version, 2)),
      ),
    );
    assert.equal(await reader.lag(), 0);
    await store.documents.markSeen({ base, runId: `${runId}-next`, documentIds: ["a", "b"] });
    await store.documents.sweep({
      base,
      runId: `${runId}-next`,
      source: "sample",
      version: version + 1n,
      saw: () => false,
    });
    assert.equal(await reader.lag(), 0);
    assert.deepEqual(await reader.count(), { documents: 2, chunks: 4 });
  },
  "building the index of a small namespace says why there is none, as often as asked": async (store) => {
    const filling = await startFilling(store, ["a"]);
    const first = await filling.writer.buildIndex();
    assert.notEqual(first.reason, "");
    assert.equal(first.built, (await (await openSample(store, filling)).index()) === "hnsw");
    assert.equal((await filling.writer.buildIndex()).built, first.built);
  },
} satisfies Record<string, StoreCheck>;
