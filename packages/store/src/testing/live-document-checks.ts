import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { putText, own, live, claim, claimedIds, counts, twoFilled, show, rows } from "./changing-sample.js";
import type { IncomingDocument } from "../documents.js";
import type { StoreCheck } from "./namespace-checks.js";
import type { Store } from "../store.js";
import {
  batchOf,
  chunksOf,
  documentOf,
  newBase,
  openSample,
  sha256,
  startFilling,
  type Filling,
} from "./sealed-sample.js";

/** A run that begins now, for the namespace of this one. */
async function beginRun(store: Store, { base, record }: Filling) {
  const run = { id: randomUUID(), base, namespaceId: record.id, profile: "second", source: "sample" };
  const version = await store.documents.nextVersion();
  await store.runs.create({ ...run, version });
  return { ...run, version };
}

/** @returns how many differ, and how many of these intake calls unchanged */
async function takeOwn(
  store: Store,
  { id: runId, base, source }: { id: string; base: string; source: string },
  document: IncomingDocument,
) {
  const { differing } = await store.documents.compare({ base, source, documents: [document], walkedThrough: null });
  const { unchanged } = await store.documents.intake({ base, runId, source, documents: differing });
  return [differing.length, unchanged];
}

export const liveDocumentChecks = {
  "a document that is put is stored, and queued for every namespace of its base": async (store) => {
    const [first, second] = await twoFilled(store, ["a", "b"]);
    const put = await putText(store, first.base, "a", "new");
    assert.equal(put.state, "stored");
    assert.deepEqual((await live(store, first.base))[0], ["a", "new", put.version]);
    for (const filling of [first, second]) {
      assert.equal(await (await openSample(store, filling)).lag(), 1);
      assert.deepEqual(await claim(store, filling), [{ documentId: "a", version: put.version, attempts: 0 }]);
    }
  },
  "putting the same content again changes nothing but the version": async (store) => {
    const [first, second] = await twoFilled(store, ["a"]);
    const before = await rows(store, first, "a");
    const again = await putText(store, first.base, "a", "text of a");
    assert.equal(again.state, "unchanged");
    assert.deepEqual(await live(store, first.base), [["a", "text of a", again.version]]);
    assert.deepEqual(await rows(store, first, "a"), before);
    for (const filling of [first, second]) {
      assert.equal(await (await openSample(store, filling)).lag(), 0);
      assert.deepEqual(await counts(store, filling), { queued: 0, setAside: 0 });
    }
  },
  "what is put in the same content while a fill holds the older version is queued": async (store) => {
    const filling = await startFilling(store, ["a"]);
    const again = await putText(store, filling.base, "a", "text of a");
    assert.deepEqual(await filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)])), {
      superseded: 1,
    });
    assert.deepEqual(await claim(store, filling), [{ documentId: "a", version: again.version, attempts: 0 }]);
  },
  "an older put is superseded, by a newer document and by a tombstone": async (store) => {
    const base = newBase();
    const newest = await putText(store, base, "a", "new", own(7n));
    assert.deepEqual(newest, { state: "stored", version: 7n });
    assert.deepEqual(await putText(store, base, "a", "old", own(6n)), { state: "superseded", version: 7n });
    assert.deepEqual(await putText(store, base, "a", "other", own(7n)), { state: "superseded", version: 7n });
    assert.deepEqual(await putText(store, base, "a", "new", own(7n)), { state: "unchanged", version: 7n });
    assert.deepEqual(await live(store, base), [["a", "new", 7n]]);
    await store.documents.delete({ base, documentId: "a", ...own(9n) });
    await store.documents.delete({ base, documentId: "never there", ...own(9n) });
    for (const id of ["a", "never there"])
      assert.deepEqual(await putText(store, base, id, "late", own(8n)), { state: "superseded", version: 9n });
    assert.deepEqual(await live(store, base), []);
    assert.deepEqual(await putText(store, base, "a", "back", own(10n)), { state: "stored", version: 10n });
  },
  "a run that began before a change leaves it alone, whoever gave its version": async (store) => {
    const { base, runId } = await startFilling(store, ["a", "b", "c"]);
    const drawn = await putText(store, base, "a", "put");
    await putText(store, base, "b", "put", own(1n));
    await store.documents.delete({ base, documentId: "c", ...own(1n) });
    const run = await store.runs.get(runId);
    const documents = ["a", "b", "c"].map((id) => documentOf(id, run!.version, { text: "read before" }));
    assert.deepEqual(await store.documents.intake({ base, runId, source: "sample", documents }), {
      created: 0,
      changed: 0,
      unchanged: 0,
      superseded: 3,
    });
    assert.deepEqual(await live(store, base), [
      ["a", "put", drawn.version],
      ["b", "put", 1n],
    ]);
  },
  "a run that reads another text under the version it stored gives it one of its own": async (store) => {
    const [first] = await twoFilled(store, ["a"]);
    const [document] = await store.documents.read({ base: first.base, after: null, through: null, limit: 1 });
    await store.documents.intake({
      base: first.base,
      runId: first.runId,
      source: "sample",
      documents: [documentOf("a", document!.version, { text: "read again" })],
    });
    assert.equal(await (await openSample(store, first)).lag(), 1);
  },
  "versions of the caller and drawn ones are told apart in what is committed": async (store) => {
    const filling = await startFilling(store, ["a"]);
    await putText(store, filling.base, "a", "own", own(filling.version));
    const [document] = await store.documents.read({ base: filling.base, after: null, through: null, limit: 1 });
    assert.equal(document?.version, filling.version);
    await show(filling, "a", filling.version);
    await putText(store, filling.base, "a", "drawn");
    await putText(store, filling.base, "a", "own again", own(filling.version));
    assert.equal(await (await openSample(store, filling)).lag(), 1);
    assert.deepEqual(
      (await filling.writer.readChanged(["a"])).map(({ text }) => text),
      ["own again"],
    );
  },
  "intake queues what is new or changed for the other namespaces, and not for the run's own": async (store) => {
    const [first, second] = await twoFilled(store, ["a", "b"]);
    const { base, record, version } = second;
    const take = (runId: string, documents: readonly IncomingDocument[]) =>
      store.documents.intake({ base, runId, source: "sample", documents });
    const runId = randomUUID();
    await store.runs.create({ id: runId, base, namespaceId: record.id, profile: "second", source: "sample", version });
    await take(runId, [documentOf("a", version + 1n, { text: "newer" }), documentOf("b", version + 1n)]);
    assert.deepEqual(await claimedIds(store, first), ["a"]);
    assert.deepEqual(await claimedIds(store, second), []);
    await take(second.runId, [documentOf("b", version + 1n, { text: "after its shards were cut" })]);
    assert.deepEqual(await claimedIds(store, second), ["b"]);
  },
  "intake leaves a caller's version alone that is stored with another text, and queues only what it stores": async (
    store,
  ) => {
    const [first, second] = await twoFilled(store, ["a"]);
    const run = await beginRun(store, second);
    const take = (documents: readonly IncomingDocument[]) =>
      store.documents.intake({ base: run.base, runId: run.id, source: run.source, documents });
    assert.equal((await take([documentOf("a", 0n, { text: "first", ...own(1_000n) })])).changed, 1);
    assert.deepEqual(await claimedIds(store, first), ["a"]);
    assert.deepEqual(
      await take([documentOf("a", 0n, { text: "second", ...own(1_000n) }), documentOf("b", run.version)]),
      { created: 1, changed: 0, unchanged: 0, superseded: 1 },
    );
    assert.deepEqual((await live(store, run.base))[0], ["a", "first", 1_000n]);
    assert.deepEqual(await claimedIds(store, first), ["b"]);
    assert.deepEqual(
      await take([documentOf("a", 0n, { text: "first", ...own(2_000n) }), documentOf("c", run.version)]),
      {
        created: 1,
        changed: 0,
        unchanged: 1,
        superseded: 0,
      },
    );
    assert.deepEqual(await claimedIds(store, first), ["c"]);
  },
  "intake of a caller's version forgets what is committed under a drawn one of that number": async (store) => {
    const [first, second] = await twoFilled(store, ["a"]);
    const { id: runId, base, source } = await beginRun(store, second);
    const [shown] = await store.documents.read({ base, after: null, through: null, limit: 1 });
    const documents = [documentOf("a", 0n, { text: "own", ...own(shown!.version) })];
    assert.equal((await store.documents.intake({ base, runId, source, documents })).changed, 1);
    for (const filling of [first, second]) assert.equal(await (await openSample(store, filling)).lag(), 1);
  },
  "a caller's version that comes again with another text is another one for whoever has read it": async (store) => {
    const [first, second] = await twoFilled(store, ["a"]);
    const { base } = first;
    await putText(store, base, "a", "before", own(7n));
    const [read] = await first.writer.readChanged(["a"]);
    await store.documents.delete({ base, documentId: "a", version: await store.documents.nextVersion() });
    await putText(store, base, "a", "after", own(7n));
    const stale = { ...chunksOf("a", 7n, 1), contentHash: read!.contentHash };
    assert.deepEqual(await first.writer.writeChanges({ documents: [stale], settled: [], failures: [] }), {
      written: [],
      superseded: ["a"],
    });
    assert.deepEqual(await second.writer.writeBatch(batchOf(second, [stale])), { superseded: 1 });
    for (const filling of [first, second]) {
      assert.deepEqual(await rows(store, filling, "a"), []);
      assert.deepEqual(await claimedIds(store, filling), ["a"]);
    }
    const [again] = await first.writer.readChanged(["a"]);
    assert.equal(again?.text, "after");
    const current = { ...chunksOf("a", 7n, 1), contentHash: again.contentHash };
    assert.deepEqual((await first.writer.writeChanges({ documents: [current], settled: [], failures: [] })).written, [
      "a",
    ]);
    assert.deepEqual(await second.writer.writeBatch(batchOf(second, [current])), { superseded: 0 });
  },
  "a higher version of the caller's for the content that is stored outranks what comes late": async (store) => {
    const [first, second] = await twoFilled(store, ["a", "b"]);
    const { base, version } = second;
    const run = await beginRun(store, second);
    for (const id of ["a", "b"])
      assert.deepEqual(await takeOwn(store, run, documentOf(id, version, own(version))), [1, 1]);
    assert.deepEqual(await takeOwn(store, run, documentOf("b", version, own(version))), [0, 0]);
    assert.deepEqual(await takeOwn(store, run, documentOf("a", 1_000n, own(1_000n))), [1, 1]);
    for (const [id, highest] of [
      ["a", 1_000n],
      ["b", version],
    ] as const)
      assert.deepEqual(await putText(store, base, id, "late", own(highest - 1n)), {
        state: "superseded",
        version: highest,
      });
    const before = { base, runId: second.runId, source: "sample" };
    const read = [documentOf("a", version, { text: "read before" })];
    assert.equal((await store.documents.intake({ ...before, documents: read })).superseded, 1);
    for (const filling of [first, second]) {
      assert.equal(await (await openSample(store, filling)).lag(), 0);
      assert.deepEqual(await counts(store, filling), { queued: 0, setAside: 0 });
    }
  },
  "a version of the caller's for content that is not shown yet leaves it so": async (store) => {
    const [first, second] = await twoFilled(store, ["a"]);
    const [shown] = await store.documents.read({ base: first.base, after: null, through: null, limit: 1 });
    const put = await putText(store, first.base, "a", "new");
    const run = await beginRun(store, second);
    // the number under which the text before is shown
    const document = documentOf("a", shown!.version, { text: "new", ...own(shown!.version) });
    assert.ok(put.version > shown!.version);
    assert.deepEqual(await takeOwn(store, run, document), [1, 1]);
    for (const filling of [first, second]) {
      assert.equal(await (await openSample(store, filling)).lag(), 1);
      assert.deepEqual(await claim(store, filling), [{ documentId: "a", version: shown!.version, attempts: 0 }]);
    }
  },
  "an erased document leaves its id and version, and nothing of its content": async (store) => {
    const [first, second] = await twoFilled(store, ["a", "b"]);
    await putText(store, first.base, "a", "secret", { title: "secret", metadata: { of: "secret" } });
    const version = await store.documents.nextVersion();
    const deletion = { base: first.base, documentId: "a", version, erase: true };
    assert.deepEqual(await store.documents.delete(deletion), { state: "deleted", version });
    for (const filling of [first, second]) {
      assert.deepEqual(await rows(store, filling, "a"), []);
      assert.deepEqual(await filling.writer.findVectors([sha256("a#0")]), new Map());
    }
    const runId = randomUUID();
    const older = [documentOf("a", version - 1n, { text: "secret" })];
    const again = await store.documents.intake({ base: first.base, runId, source: "sample", documents: older });
    assert.equal(again.superseded, 1);
  },
} satisfies Record<string, StoreCheck>;
