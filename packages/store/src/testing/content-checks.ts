import assert from "node:assert/strict";
import { refused, type StoreCheck } from "./namespace-checks.js";
import { batchOf, chunkOf, chunksOf, hex, openSample, sha256, startFilling } from "./sealed-sample.js";

/** What is stored already is found again by its content, or taken over whole. */
export const contentChecks = {
  "a namespace is empty until a chunk is stored, also where documents are committed": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const { writer, version } = filling;
    const seen = [await writer.isEmpty()];
    await writer.writeBatch(batchOf(filling, [{ documentId: "a", version, chunks: [] }]));
    seen.push(await writer.isEmpty());
    await writer.writeBatch(batchOf(filling, [chunksOf("b", version)]));
    seen.push(await writer.isEmpty());
    await writer.forget(["a", "b"], { chunks: false });
    seen.push(await writer.isEmpty());
    assert.deepEqual(seen, [true, true, false, false]);
  },
  "a document forgotten with its chunks leaves no vector to be found": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const { writer, version } = filling;
    const page = { after: null, through: null, limit: 10, maxBytes: 100 };
    const ids = async () => (await writer.readPending(page)).map(({ id }) => id);
    const found = async () => [...(await writer.findVectors([sha256("a#0"), sha256("b#0")])).keys()].toSorted();
    await writer.writeBatch(
      batchOf(
        filling,
        ["a", "b"].map((id) => chunksOf(id, version)),
      ),
    );
    await writer.forget(["b"], { chunks: false });
    assert.deepEqual(await found(), [hex(sha256("a#0")), hex(sha256("b#0"))].toSorted());
    await writer.forget(["a", "never stored"], { chunks: true });
    assert.deepEqual(await ids(), ["a", "b"]);
    assert.deepEqual(await found(), [hex(sha256("b#0"))]);
    assert.deepEqual(await (await openSample(store, filling)).count(), { documents: 1, chunks: 1 });
  },
  "documents are copied from another namespace of the base, vectors and all": async (store) => {
    const from = await startFilling(store, ["a", "b", "c", "d", "e"]);
    const { base, version } = from;
    const whole = ["a", "b", "c", "d"].map((id) => chunksOf(id, version, 2));
    await from.writer.writeBatch(batchOf(from, whole));
    await from.writer.writeBatch(
      batchOf(from, [chunksOf("e", version)], {
        failures: [{ documentId: "e", ordinal: 1, code: "EMB_TEXT_TOO_LONG", reason: "expected less" }],
      }),
    );
    const to = await startFilling(store, ["a", "b", "c", "d", "e"], {
      base,
      seal: { profile: "second" },
      documentsPerShard: 3,
    });
    await to.writer.writeBatch(batchOf(to, [chunksOf("a", version)]));
    await store.documents.delete({ base, documentId: "b", version });
    assert.deepEqual(await to.writer.copyDocuments({ lease: { ...to.lease, cursor: "a" }, from: from.record }), {
      documents: 1,
      chunks: 2,
    });
    const reader = await openSample(store, to);
    assert.deepEqual(await reader.count(), { documents: 2, chunks: 3 });
    const partial = await startFilling(store, [], { base, seal: { profile: "third" }, scope: ["d"] });
    const part = await partial.writer.copyDocuments({ lease: partial.lease, from: from.record });
    assert.deepEqual(part, { documents: 1, chunks: 2 });
    const own = await to.writer.readKeys(["c"]);
    assert.deepEqual(own, await from.writer.readKeys(["c"]));
    const [key] = own;
    assert.deepEqual(
      await to.writer.findVectors([key!.contentHash]),
      await from.writer.findVectors([key!.contentHash]),
    );
    const run = await store.runs.get(to.runId);
    assert.deepEqual([run?.counters.documents, run?.counters.skipped, run?.counters.embedded], [1, 2, 0]);
    const next = await store.runs.claimShard(to.runId, { owner: "check", leaseMs: 60_000 });
    assert.ok(next !== null);
    assert.deepEqual(await to.writer.copyDocuments({ lease: next, from: from.record }), { documents: 1, chunks: 2 });
    assert.deepEqual(await to.writer.copyDocuments({ lease: next, from: from.record }), { documents: 0, chunks: 0 });
    await store.runs.release(next);
    await to.writer.forget(["d"]);
    await refused(to.writer.copyDocuments({ lease: next, from: from.record }), "EMB_LEASE_LOST");
  },
  "vectors are found in other namespaces when asked there": async (store) => {
    const from = await startFilling(store, ["a"]);
    await from.writer.writeBatch(batchOf(from, [chunksOf("a", from.version)]));
    const to = await startFilling(store, ["b"], { base: from.base, seal: { profile: "second" } });
    await to.writer.writeBatch(batchOf(to, [chunksOf("b", to.version)]));
    const hashes = [...(await from.writer.readKeys(["a"])), ...(await to.writer.readKeys(["b"]))].map(
      ({ contentHash }) => contentHash,
    );
    assert.equal((await to.writer.findVectors(hashes)).size, 1);
    assert.equal((await to.writer.findVectors(hashes, [from.record])).size, 2);
  },
  "vectors are found by content and others are absent": async (store) => {
    const filling = await startFilling(store, ["a", "b"]);
    const { writer, version } = filling;
    assert.deepEqual(await writer.findVectors([sha256("same")]), new Map());
    await writer.writeBatch(
      batchOf(
        filling,
        ["a", "b"].map((documentId) => ({
          documentId,
          version,
          chunks: [chunkOf(documentId, 0, [1, 2, 3, 4], "same"), chunkOf(documentId, 1, [4, 3, 2, 1], documentId)],
        })),
      ),
    );
    const found = await writer.findVectors([sha256("same"), sha256("b"), sha256("unknown"), sha256("same")]);
    assert.equal(found.size, 2);
    assert.deepEqual(found.get(hex(sha256("same"))), new Float32Array([1, 2, 3, 4]));
    assert.deepEqual(found.get(hex(sha256("b"))), new Float32Array([4, 3, 2, 1]));
  },
} satisfies Record<string, StoreCheck>;
