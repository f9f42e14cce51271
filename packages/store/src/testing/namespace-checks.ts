import assert from "node:assert/strict";
import { isEmbError, type ErrorCode } from "@emb/manifest";
import type { Store } from "../store.js";
import { addressOf, batchOf, chunksOf, newBase, openSample, sealOf, startFilling } from "./sealed-sample.js";

export type StoreCheck = (store: Store) => Promise<void>;

/** The call is refused with this code, and the message holds these words. */
export async function refused(call: Promise<unknown>, code: ErrorCode, ...words: string[]): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(isEmbError(error, code), `expected ${code}, got ${String(error)}`);
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" does not hold "${word}"`);
    assert.notEqual(error.hint, "");
    return true;
  });
}

export const namespaceChecks = {
  "a namespace is made filling and keeps its seal with the witness": async (store) => {
    const address = addressOf(newBase());
    const seal = sealOf();
    const made = await store.namespaces.create(address, seal);
    assert.equal(made.state, "filling");
    assert.deepEqual(made.seal, seal);
    assert.deepEqual(await store.namespaces.find(address), made);
    assert.deepEqual(await store.namespaces.list(address.base), [made]);
    assert.deepEqual(
      { ...made, id: 0, state: 0, seal: 0, createdAt: 0 },
      { ...address, id: 0, state: 0, seal: 0, createdAt: 0 },
    );
  },
  "an equal seal gives the namespace that is there": async (store) => {
    const address = addressOf(newBase());
    const made = await store.namespaces.create(address, sealOf());
    assert.deepEqual(await store.namespaces.create(address, sealOf({ witness: [] })), made);
  },
  "a changed fingerprint under the same profile name is refused with both fingerprints and the advice to take a new name":
    async (store) => {
      const address = addressOf(newBase());
      await store.namespaces.create(address, sealOf());
      const changed = sealOf({ fingerprint: "f".repeat(64) });
      await refused(
        store.namespaces.create(address, changed),
        "EMB_SEAL_MISMATCH",
        sealOf().fingerprint,
        changed.fingerprint,
      );
      await assert.rejects(
        store.namespaces.create(address, changed),
        (error) => isEmbError(error) && /new profile name/.test(error.hint),
      );
    },
  "another chunker is refused": async (store) => {
    const address = addressOf(newBase());
    await store.namespaces.create(address, sealOf());
    await refused(
      store.namespaces.create(address, sealOf({ chunkerId: "chunker-2" })),
      "EMB_SEAL_MISMATCH",
      "chunker-1",
      "chunker-2",
    );
  },
  "mode none holds one profile": async (store) => {
    const address = addressOf(newBase(), { mode: "none", suffix: "" });
    await store.namespaces.create(address, sealOf());
    await refused(
      store.namespaces.create(address, sealOf({ profile: "second" })),
      "EMB_NAMESPACE_OCCUPIED",
      "first",
      "second",
    );
  },
  "the mode is stored with the base and another one is refused": async (store) => {
    const address = addressOf(newBase());
    const other = addressOf(address.base, { mode: "model", suffix: "sample_model" });
    assert.equal(await store.namespaces.modeOf(address.base), null);
    await store.namespaces.create(address, sealOf());
    assert.equal(await store.namespaces.modeOf(address.base), "profile");
    await refused(store.namespaces.create(other, sealOf()), "EMB_NAMESPACE_MODE_MISMATCH", "profile", "model");
    await refused(store.namespaces.openReader(other, sealOf(), { strict: true }), "EMB_NAMESPACE_MODE_MISMATCH");
    await refused(store.namespaces.openWriter(other, sealOf()), "EMB_NAMESPACE_MODE_MISMATCH");
  },
  "bases that look alike with their suffix never meet": async (store) => {
    const base = newBase();
    const short = await store.namespaces.create(addressOf(base, { suffix: "v2" }), sealOf());
    const long = await store.namespaces.create(
      addressOf(`${base}_v2`, { suffix: "", mode: "none" }),
      sealOf({ profile: "second" }),
    );
    assert.equal(short.namespace, long.namespace);
    assert.notEqual(short.id, long.id);
    assert.equal((await store.namespaces.find({ base, suffix: "v2" }))?.seal.profile, "first");
    assert.equal((await store.namespaces.find({ base: `${base}_v2`, suffix: "" }))?.seal.profile, "second");
  },
  "more dims than a column takes are refused": async (store) => {
    const dims = store.capabilities.maxDims.vector + 1;
    await refused(
      store.namespaces.create(addressOf(newBase()), sealOf({ dims })),
      "EMB_DIMS_UNSUPPORTED",
      String(dims),
    );
  },
  "a namespace that is not there cannot be opened": async (store) => {
    const address = addressOf(newBase());
    assert.equal(await store.namespaces.find(address), null);
    await refused(
      store.namespaces.openReader(address, sealOf(), { strict: false }),
      "EMB_NAMESPACE_NOT_FOUND",
      address.namespace,
    );
    await refused(store.namespaces.openWriter(address, sealOf()), "EMB_NAMESPACE_NOT_FOUND", address.namespace);
  },
  "a reader of another space is refused with both fingerprints": async (store) => {
    const address = addressOf(newBase());
    await store.namespaces.create(address, sealOf());
    const other = sealOf({ profile: "second" });
    await refused(
      store.namespaces.openReader(address, other, { strict: true }),
      "EMB_SEAL_MISMATCH",
      sealOf().fingerprint,
      other.fingerprint,
    );
  },
  "a reader needs an equal space, not an equal fingerprint": async (store) => {
    const address = addressOf(newBase());
    await store.namespaces.create(address, sealOf());
    const reader = await store.namespaces.openReader(address, sealOf({ fingerprint: "f".repeat(64) }), {
      strict: true,
    });
    assert.equal(reader.seal, "equal");
  },
  "with strict off another space of equal dims is read as mismatched": async (store) => {
    const address = addressOf(newBase());
    await store.namespaces.create(address, sealOf());
    const reader = await store.namespaces.openReader(address, sealOf({ profile: "second" }), { strict: false });
    assert.equal(reader.seal, "mismatched");
  },
  "with strict off other dims are refused all the same": async (store) => {
    const address = addressOf(newBase());
    await store.namespaces.create(address, sealOf());
    const other = sealOf({ profile: "second", dims: 8 });
    await refused(
      store.namespaces.openReader(address, other, { strict: false }),
      "EMB_SEAL_MISMATCH",
      "4 dims",
      "8 dims",
    );
  },
  "a writer needs an equal fingerprint and chunker": async (store) => {
    const address = addressOf(newBase());
    await store.namespaces.create(address, sealOf());
    const changed = sealOf({ fingerprint: "f".repeat(64) });
    await refused(
      store.namespaces.openWriter(address, changed),
      "EMB_SEAL_MISMATCH",
      sealOf().fingerprint,
      changed.fingerprint,
    );
    await refused(store.namespaces.openWriter(address, sealOf({ chunkerId: "chunker-2" })), "EMB_SEAL_MISMATCH");
  },
  "a verified namespace is ready": async (store) => {
    const address = addressOf(newBase());
    const { id } = await store.namespaces.create(address, sealOf());
    await store.namespaces.markReady(id);
    assert.equal((await store.namespaces.find(address))?.state, "ready");
  },
  "a reader of a namespace that was retired meanwhile says so, also where another one took its place": async (
    store,
  ) => {
    const filling = await startFilling(store, ["a"]);
    await filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)]));
    const reader = await openSample(store, filling);
    const query = { vector: Float32Array.of(1, 0, 0, 0), limit: 1 };
    assert.equal((await reader.searchDense(query)).length, 1);
    await store.namespaces.retire(filling.record.id);
    await refused(reader.searchDense(query), "EMB_NAMESPACE_NOT_FOUND", filling.address.namespace);
    await store.namespaces.create(filling.address, sealOf());
    await refused(reader.searchDense({ ...query, exact: true }), "EMB_NAMESPACE_NOT_FOUND");
  },
  "a retired namespace is gone, stays in the list and makes room": async (store) => {
    const filling = await startFilling(store, ["a"]);
    await filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)]));
    await store.namespaces.retire(filling.record.id);
    await store.namespaces.retire(filling.record.id);
    assert.equal(await store.namespaces.find(filling.address), null);
    assert.equal(await store.namespaces.modeOf(filling.base), null);
    await refused(
      filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)])),
      "EMB_NAMESPACE_NOT_FOUND",
    );
    const again = await store.namespaces.create(filling.address, sealOf({ fingerprint: "f".repeat(64) }));
    assert.deepEqual(
      (await store.namespaces.list(filling.base)).map(({ id, state }) => [id, state]),
      [
        [filling.record.id, "retired"],
        [again.id, "filling"],
      ],
    );
    const reader = await openSample(store, filling);
    assert.deepEqual(await reader.count(), { documents: 0, chunks: 0 });
  },
} satisfies Record<string, StoreCheck>;
