import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { MINUTE_MS, putText, claim, claimedIds, counts, twoFilled, show, rows } from "./changing-sample.js";
import type { StoreCheck } from "./namespace-checks.js";
import { batchOf, chunksOf, openSample, startFilling, type Filling } from "./sealed-sample.js";

export const changeChecks = {
  "a deletion takes what was queued and what was set aside with it": async (store) => {
    const [first, second] = await twoFilled(store, ["a", "b"]);
    const put = await putText(store, first.base, "a", "new");
    await show(first, "a", put.version, 1, [{ ordinal: 1 }]);
    await store.documents.delete({ base: first.base, documentId: "a", version: put.version });
    for (const filling of [first, second]) {
      assert.deepEqual(await counts(store, filling), { queued: 0, setAside: 0 });
      assert.deepEqual(await rows(store, filling, "a"), []);
    }
  },
  "a change has one taker until its claim runs out, the oldest first": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b"]);
    const { id: namespaceId } = filling.record;
    await putText(store, filling.base, "b", "first");
    await putText(store, filling.base, "a", "second");
    await putText(store, filling.base, "b", "third");
    const ids = async (limit: number, claimMs: number) =>
      (await store.changes.claim({ namespaceId, limit, claimMs })).map(({ documentId }) => documentId);
    assert.deepEqual(await ids(1, 20), ["b"]);
    assert.deepEqual(await ids(10, MINUTE_MS), ["a"]);
    assert.deepEqual(await ids(10, MINUTE_MS), []);
    await sleep(40);
    assert.deepEqual(await claimedIds(store, filling, MINUTE_MS, ["a"]), []);
    assert.deepEqual(await claimedIds(store, filling, MINUTE_MS, ["a", "b"]), ["b"]);
  },
  "a change that is put off waits and counts the attempt, unless its document changed": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b"]);
    const { id: namespaceId } = filling.record;
    await putText(store, filling.base, "a", "new");
    await putText(store, filling.base, "b", "new");
    const changes = await claim(store, filling);
    const newer = await putText(store, filling.base, "b", "newer");
    await store.changes.postpone({ namespaceId, changes, waitMs: 30 });
    assert.deepEqual(await claim(store, filling), [{ documentId: "b", version: newer.version, attempts: 0 }]);
    await sleep(60);
    assert.deepEqual(
      (await claim(store, filling)).map(({ documentId, attempts }) => [documentId, attempts]),
      [["a", 1]],
    );
  },
  "what is shown leaves the queue, and replaces what was there": async (store) => {
    const [first, second] = await twoFilled(store, ["a", "b"]);
    const { version } = await putText(store, first.base, "a", "new");
    assert.deepEqual(await show(first, "a", version), { written: ["a"], superseded: [] });
    assert.deepEqual(await rows(store, first, "a"), [[0, version]]);
    assert.deepEqual(
      [await counts(store, first), await counts(store, second)],
      [
        { queued: 0, setAside: 0 },
        { queued: 1, setAside: 0 },
      ],
    );
    assert.equal(await (await openSample(store, first)).lag(), 0);
    assert.deepEqual(await show(first, "a", version), { written: [], superseded: [] });
  },
  "an older change is never written over a newer one, and stays queued": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b"]);
    const older = await putText(store, filling.base, "a", "new");
    const newer = await putText(store, filling.base, "a", "newer");
    await store.documents.delete({ base: filling.base, documentId: "b", version: newer.version });
    assert.deepEqual(await show(filling, "a", older.version), { written: [], superseded: ["a"] });
    assert.deepEqual(await show(filling, "b", filling.version), { written: [], superseded: ["b"] });
    assert.deepEqual(await counts(store, filling), { queued: 1, setAside: 0 });
    assert.deepEqual(await rows(store, filling, "b"), []);
    await show(filling, "a", newer.version);
    assert.deepEqual(await show(filling, "a", older.version), { written: [], superseded: ["a"] });
    assert.deepEqual(await rows(store, filling, "a"), [[0, newer.version]]);
  },
  "a change that a fill has shown already is settled, one that it has not stays": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b"]);
    const { version } = await putText(store, filling.base, "a", "new");
    await putText(store, filling.base, "b", "new");
    await filling.writer.writeBatch(batchOf(filling, [chunksOf("a", version)]));
    await filling.writer.writeChanges({ documents: [], settled: ["a", "b"], failures: [] });
    assert.deepEqual(await claimedIds(store, filling), ["b"]);
  },
  "refused texts are set aside with their reason, until the document changes or they are asked for": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b"]);
    const { id } = filling.record;
    const { version } = await putText(store, filling.base, "a", "new");
    await show(filling, "a", version, 2, [{ ordinal: 3 }, { ordinal: 2 }]);
    const expected = { documentId: "a", version, ordinals: [2, 3], code: "EMB_TEXT_TOO_LONG", reason: "too long" };
    assert.deepEqual(await store.changes.setAside(id, 10), [expected]);
    assert.deepEqual(await counts(store, filling), { queued: 0, setAside: 1 });
    assert.equal(await (await openSample(store, filling)).lag(), 0);
    assert.deepEqual(await store.changes.find(id, ["a", "b"]), [{ documentId: "a", state: "set_aside" }]);
    assert.deepEqual(await claimedIds(store, filling), []);
    assert.equal(await store.changes.retry(id), 1);
    assert.deepEqual(await filling.writer.readChanged(await claimedIds(store, filling)).then((page) => page.length), 1);
    await show(filling, "a", version, 2, [{ ordinal: 2 }]);
    await putText(store, filling.base, "a", "newer");
    assert.deepEqual(await store.changes.find(id, ["a", "b"]), [{ documentId: "a", state: "queued" }]);
  },
  "a change that is given up is set aside whole and lags, until its document changes or it is asked for": async (
    store,
  ) => {
    const [filling] = await twoFilled(store, ["a", "b"]);
    const { id: namespaceId } = filling.record;
    const put = await putText(store, filling.base, "a", "new");
    await putText(store, filling.base, "b", "new");
    const [a, b] = await claim(store, filling);
    assert.ok(a !== undefined && b !== undefined);
    const newer = await putText(store, filling.base, "b", "newer");
    const why = { code: "EMB_INTERNAL", reason: "cannot be chunked" };
    for (const change of [a, b]) await store.changes.giveUp({ namespaceId, change, ...why });
    const expected = { documentId: "a", version: put.version, ordinals: [], ...why };
    assert.deepEqual(await store.changes.setAside(namespaceId, 10), [expected]);
    assert.equal(await (await openSample(store, filling)).lag(), 2);
    assert.deepEqual(await claim(store, filling), [{ documentId: "b", version: newer.version, attempts: 0 }]);
    assert.equal(await store.changes.retry(namespaceId), 1);
    assert.deepEqual(await claimedIds(store, filling), ["a"]);
    await store.changes.giveUp({ namespaceId, change: a, ...why });
    await putText(store, filling.base, "a", "repaired");
    assert.deepEqual(await store.changes.find(namespaceId, ["a"]), [{ documentId: "a", state: "queued" }]);
  },
  "what a run's older version was refused for is over once the change is shown": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b"]);
    const failure = { ordinal: 0, code: "EMB_TEXT_TOO_LONG", reason: "too long" };
    await store.runs.recordFailures(
      filling.runId,
      ["a", "b"].map((documentId) => ({ ...failure, documentId })),
    );
    const { version } = await putText(store, filling.base, "a", "new");
    await show(filling, "a", version);
    assert.deepEqual(
      (await store.runs.failures(filling.runId, 10)).map(({ documentId }) => documentId),
      ["b"],
    );
  },
  "what an ended run left is queued, once": async (store) => {
    const filling = await startFilling(store, ["a", "b", "c"]);
    await filling.writer.writeBatch(batchOf(filling, [chunksOf("b", filling.version)]));
    assert.equal(await store.changes.queuePending(filling.record.id), 2);
    assert.equal(await store.changes.queuePending(filling.record.id), 0);
    assert.deepEqual((await claimedIds(store, filling)).toSorted(), ["a", "c"]);
  },
  "how a namespace stands to a document is told at one moment": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b", "c", "d"]);
    const { base, version: filled } = filling;
    const standing = async () => (await openSample(store, filling)).standing(["d", "c", "b", "a", "never there"]);
    const put = async (id: string) => (await putText(store, base, id, "new")).version;
    const [a, b] = [await put("a"), await put("b")];
    const c = await store.documents.nextVersion();
    await show(filling, "b", b, 1, [{ ordinal: 1 }]);
    await store.documents.delete({ base, documentId: "c", version: c });
    const [{ version: d }] = [(await standing())[3]!];
    assert.deepEqual(await standing(), [
      { documentId: "a", version: a, deleted: false, committed: filled, change: "queued", setAside: [] },
      { documentId: "b", version: b, deleted: false, committed: b, change: "set_aside", setAside: [1] },
      { documentId: "c", version: c, deleted: true, committed: null, change: null, setAside: [] },
      { documentId: "d", version: d, deleted: false, committed: d, change: null, setAside: [] },
    ]);
  },
  "documents and chunks are read by their ids alone": async (store) => {
    const [filling] = await twoFilled(store, ["a", "b", "c"]);
    const page = { base: filling.base, after: null, through: null, limit: 10 };
    const documents = await store.documents.read({ ...page, ids: ["c", "a", "z"] });
    assert.deepEqual(
      documents.map(({ id }) => id),
      ["a", "c"],
    );
    const chunks = await (await openSample(store, filling)).scan({ after: null, limit: 10, documentIds: ["c", "a"] });
    assert.deepEqual(
      chunks.map(({ documentId, ordinal }) => [documentId, ordinal]),
      [
        ["a", 0],
        ["a", 1],
        ["c", 0],
        ["c", 1],
      ],
    );
  },
  "changes that wait have an age": async (store) => {
    const [filling] = await twoFilled(store, ["a"]);
    const age = async () =>
      (await store.changes.counts()).find(({ namespaceId }) => namespaceId === filling.record.id)?.oldestAgeMs;
    const { version } = await putText(store, filling.base, "a", "new");
    await sleep(25);
    const seen = await age();
    assert.ok(seen !== undefined && seen >= 20 && seen < 3_600_000, `seen ${seen}`);
    await show(filling, "a", version, 1, [{ ordinal: 1 }]);
    assert.equal(await age(), 0);
  },
  "what live changes take adds up for each namespace, and an unknown price stays unknown": async (store) => {
    const [first, second] = await twoFilled(store, ["a"]);
    const spend = async ({ record }: Filling) =>
      (await store.changes.spend()).find(({ namespaceId }) => namespaceId === record.id);
    assert.equal(await spend(first), undefined);
    const { id: namespaceId } = first.record;
    await store.changes.recordSpend(namespaceId, { texts: 2, tokens: 10, costUsd: 0.5 });
    await store.changes.recordSpend(namespaceId, { texts: 1, tokens: 20, costUsd: 1 });
    assert.deepEqual(await spend(first), { namespaceId, texts: 3, tokens: 30, costUsd: 1.5 });
    for (const costUsd of [null, 1]) await store.changes.recordSpend(namespaceId, { texts: 1, tokens: 1, costUsd });
    assert.deepEqual(await spend(first), { namespaceId, texts: 5, tokens: 32, costUsd: null });
    assert.equal(await spend(second), undefined);
  },
} satisfies Record<string, StoreCheck>;
