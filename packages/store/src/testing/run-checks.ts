import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../runs.js";
import { refused, type StoreCheck } from "./namespace-checks.js";
import { batchOf, chunksOf, startFilling } from "./sealed-sample.js";

const SHORT_MS = 30;
const expire = () => sleep(2 * SHORT_MS);
const claimed = (lease: Lease | null): Lease => {
  assert.ok(lease !== null, "expected a free shard");
  return lease;
};

const failure = (documentId: string, ordinal: number | null, reason: string) => ({
  documentId,
  ordinal,
  code: "EMB_TEXT_TOO_LONG",
  reason,
});

export const runChecks = {
  "a run starts in plan and is found": async (store) => {
    const { runId, base, record, version } = await startFilling(store, ["a", "b"]);
    const run = await store.runs.get(runId);
    assert.equal(run?.state, "plan");
    assert.deepEqual(
      [run.base, run.namespaceId, run.namespace, run.version, run.intakeDone, run.documentsTotal, run.documentsPending],
      [base, record.id, record.namespace, version, true, 2, 2],
    );
    assert.deepEqual(run.shards, { total: 1, done: 0 });
    assert.equal(await store.runs.get(randomUUID()), null);
  },
  "runs are listed newest first, by base and state": async (store) => {
    const { base, record, version, runId } = await startFilling(store, ["a"]);
    const later = await store.runs.create({
      id: randomUUID(),
      base,
      namespaceId: record.id,
      profile: "first",
      source: "sample",
      version,
    });
    assert.equal(later.intakeDone, false);
    await store.runs.transition(runId, { from: ["plan"], to: "fill" });
    const listed = async (states?: ["fill"]) =>
      (await store.runs.list(states === undefined ? { base } : { base, states })).map(({ id }) => id);
    assert.deepEqual(await listed(), [later.id, runId]);
    assert.deepEqual(await listed(["fill"]), [runId]);
  },
  "of runs that begin at once for a namespace one is made, and none beside an unfinished one": async (store) => {
    const { runId, base, record, version } = await startFilling(store, ["a"]);
    const begin = () =>
      store.runs.createAlone(
        { id: randomUUID(), base, namespaceId: record.id, profile: "first", source: "sample", version },
        ["plan", "paused"],
      );
    assert.equal(await begin(), null);
    await store.runs.transition(runId, { from: ["plan"], to: "failed" });
    const made = (await Promise.all(Array.from({ length: 4 }, begin))).filter((run) => run !== null);
    assert.equal(made.length, 1);
    assert.deepEqual(
      (await store.runs.list({ base })).map(({ id }) => id),
      [made[0]!.id, runId],
    );
  },
  "a step is taken only from the states it names": async (store) => {
    const { runId } = await startFilling(store, ["a"]);
    assert.equal(await store.runs.transition(runId, { from: ["fill", "index"], to: "verify" }), false);
    assert.equal((await store.runs.get(runId))?.state, "plan");
    assert.equal(await store.runs.transition(runId, { from: ["plan"], to: "fill", reason: "why" }), true);
    const run = await store.runs.get(runId);
    assert.deepEqual([run?.state, run?.reason], ["fill", "why"]);
    assert.equal(await store.runs.state(runId), "fill");
    assert.equal(await store.runs.state(randomUUID()), null);
  },
  "shards cover every document once and are cut once": async (store) => {
    const ids = Array.from({ length: 10 }, (_, i) => `doc-${i}`);
    const { runId, base, lease } = await startFilling(store, ids, { documentsPerShard: 4 });
    const shards = [lease];
    for (let next = await store.runs.claimShard(runId, { owner: "check", leaseMs: 60_000 }); next !== null;) {
      shards.push(next);
      next = await store.runs.claimShard(runId, { owner: "check", leaseMs: 60_000 });
    }
    assert.deepEqual([shards[0]?.after, shards.at(-1)?.through, shards.length], [null, null, 3]);
    const pages = await Promise.all(
      shards.map(({ after, through }) => store.documents.read({ base, after, through, limit: 100 })),
    );
    assert.deepEqual(
      pages.flat().map(({ id }) => id),
      ids,
    );
    assert.deepEqual(await store.runs.cutShards(runId, 1), { shards: 3, documents: 10 });
  },
  "shards are cut of what is pending, and of nothing else, and name it where it is little": async (store) => {
    const ids = ["a", "b", "c", "d", "e"];
    const filling = await startFilling(store, ids);
    const { base, record, version, writer } = filling;
    const write = (...written: readonly string[]) =>
      writer.writeBatch(
        batchOf(
          filling,
          written.map((id) => chunksOf(id, version)),
        ),
      );
    const cut = async () => {
      const id = randomUUID();
      await store.runs.create({ id, base, namespaceId: record.id, profile: "first", source: "sample", version });
      const { shards, documents } = await store.runs.cutShards(id, 10);
      const lease = await store.runs.claimShard(id, { owner: "check", leaseMs: 60_000 });
      const run = await store.runs.get(id);
      return [shards, documents, run?.documentsTotal, run?.documentsPending, lease?.documentIds];
    };
    await write("c", "d", "e");
    assert.deepEqual(await cut(), [1, 5, 5, 2, null]);
    await write("a");
    assert.deepEqual(await cut(), [1, 5, 5, 1, ["b"]]);
    await write("b");
    assert.deepEqual(await cut(), [0, 5, 5, 0, undefined]);
  },
  "a run keeps how many set-aside texts it accepts": async (store) => {
    const { runId } = await startFilling(store, ["a"]);
    assert.equal((await store.runs.get(runId))?.acceptFailures, 0);
    await store.runs.acceptFailures(runId, 3);
    assert.equal((await store.runs.get(runId))?.acceptFailures, 3);
  },
  "a partial run fills the documents of its scope and no others": async (store) => {
    const { base, record, version, writer } = await startFilling(store, ["a", "b", "c", "d"]);
    const id = randomUUID();
    const part = { id, base, namespaceId: record.id, profile: "first", source: "sample", version, partial: true };
    assert.equal((await store.runs.create(part)).partial, true);
    await store.runs.addToScope(id, ["d", "b", "gone"]);
    await store.runs.addToScope(id, ["b"]);
    assert.deepEqual(await store.runs.cutShards(id, 1), { shards: 2, documents: 2 });
    const claim = async () => claimed(await store.runs.claimShard(id, { owner: "check", leaseMs: 60_000 }));
    const named = [(await claim()).documentIds, (await claim()).documentIds];
    assert.deepEqual(named, [["b"], ["d"]]);
    const page = { after: null, through: null, limit: 10, maxBytes: 1e6 };
    const ids = async (only?: readonly string[]) =>
      (await writer.readPending({ ...page, ...(only && { ids: only }) })).map((document) => document.id);
    assert.deepEqual(await ids(["d", "b", "gone"]), ["b", "d"]);
    assert.deepEqual(await ids(), ["a", "b", "c", "d"]);
  },
  "a shard has one holder, and none is free after the last": async (store) => {
    const { runId, lease } = await startFilling(store, ["a", "b"], { documentsPerShard: 1 });
    const second = claimed(await store.runs.claimShard(runId, { owner: "check", leaseMs: 60_000 }));
    assert.notEqual(second.shard, lease.shard);
    assert.equal(await store.runs.claimShard(runId, { owner: "check", leaseMs: 60_000 }), null);
  },
  "a lease that ran out is taken over with a higher token and the last cursor": async (store) => {
    const filling = await startFilling(store, ["a", "b"], { leaseMs: SHORT_MS });
    const { lease, runId } = filling;
    await filling.writer.writeBatch(
      batchOf(filling, [chunksOf("a", filling.version)], { lease: { ...lease, leaseMs: SHORT_MS } }),
    );
    await expire();
    const taken = claimed(await store.runs.claimShard(runId, { owner: "other", leaseMs: 60_000 }));
    assert.ok(taken.fencingToken > lease.fencingToken);
    assert.deepEqual([taken.shard, taken.cursor], [lease.shard, "a"]);
  },
  "a renewed lease holds on, a lost one is refused": async (store) => {
    const { lease, runId } = await startFilling(store, ["a"], { leaseMs: 400 });
    await sleep(250);
    await store.runs.renew(lease);
    await sleep(250);
    assert.equal(await store.runs.claimShard(runId, { owner: "other", leaseMs: 60_000 }), null);
    await store.runs.release(lease);
    await refused(store.runs.renew(lease), "EMB_LEASE_LOST");
    claimed(await store.runs.claimShard(runId, { owner: "other", leaseMs: 60_000 }));
    await refused(store.runs.renew(lease), "EMB_LEASE_LOST");
  },
  "a released shard is free at once, and releasing a lost lease is no error": async (store) => {
    const { lease, runId } = await startFilling(store, ["a"]);
    await store.runs.release(lease);
    const taken = claimed(await store.runs.claimShard(runId, { owner: "other", leaseMs: 60_000 }));
    await store.runs.release(lease);
    await store.runs.renew(taken);
  },
  "a completed shard is done for good": async (store) => {
    const { lease, runId } = await startFilling(store, ["a"]);
    await store.runs.complete(lease);
    assert.deepEqual((await store.runs.get(runId))?.shards, { total: 1, done: 1 });
    assert.equal(await store.runs.claimShard(runId, { owner: "other", leaseMs: 60_000 }), null);
  },
  "a lost lease cannot complete its shard": async (store) => {
    const { lease, runId } = await startFilling(store, ["a"], { leaseMs: SHORT_MS });
    await expire();
    claimed(await store.runs.claimShard(runId, { owner: "other", leaseMs: 60_000 }));
    await refused(store.runs.complete(lease), "EMB_LEASE_LOST");
    assert.deepEqual((await store.runs.get(runId))?.shards, { total: 1, done: 0 });
  },
  "the later reason of a failure stands": async (store) => {
    const { runId } = await startFilling(store, ["a"]);
    await store.runs.recordFailures(runId, [
      failure("b", null, "whole"),
      failure("a", 1, "early"),
      failure("a", 1, "late"),
    ]);
    await store.runs.recordFailures(runId, [failure("b", null, "whole again"), failure("b", 0, "first chunk")]);
    assert.deepEqual(await store.runs.failures(runId, 10), [
      failure("a", 1, "late"),
      failure("b", null, "whole again"),
      failure("b", 0, "first chunk"),
    ]);
    assert.equal((await store.runs.failures(runId, 1)).length, 1);
    assert.equal((await store.runs.get(runId))?.failures, 3);
  },
  "what a run spends adds up, and an unknown price stays unknown": async (store) => {
    const { runId } = await startFilling(store, ["a"]);
    const spend = async () => (await store.runs.get(runId))?.spend;
    const nothing = { tokens: 0, costUsd: 0 };
    assert.deepEqual(await spend(), { ...nothing, reserved: nothing, maxCostUsd: null });
    await store.runs.settleSpend(runId, { spent: { tokens: 10, costUsd: 0.5 } });
    await store.runs.settleSpend(runId, { spent: { tokens: 20, costUsd: 1 } });
    assert.deepEqual(await spend(), { tokens: 30, costUsd: 1.5, reserved: nothing, maxCostUsd: null });
    await store.runs.settleSpend(runId, { spent: { tokens: 1, costUsd: null } });
    await store.runs.settleSpend(runId, { spent: { tokens: 1, costUsd: 1 } });
    assert.deepEqual(await spend(), { tokens: 32, costUsd: null, reserved: nothing, maxCostUsd: null });
  },
  "nothing is set apart past the limit, by any number of callers": async (store) => {
    const { runId } = await startFilling(store, ["a"]);
    const part = { tokens: 100, costUsd: 0.1 };
    await store.runs.limitSpend(runId, 0.3);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => store.runs.reserveSpend(runId, part)));
    assert.deepEqual(answers.filter((answer) => answer === null).length, 3);
    await store.runs.settleSpend(runId, { spent: { tokens: 50, costUsd: 0.05 }, reserved: part });
    const left = await store.runs.reserveSpend(runId, part);
    assert.equal(Math.round((left?.leftUsd ?? -1) * 1e6), 50_000);
    const spend = (await store.runs.get(runId))?.spend;
    assert.deepEqual([spend?.tokens, spend?.reserved.tokens, spend?.maxCostUsd], [50, 200, 0.3]);
    await store.runs.limitSpend(runId, 1);
    assert.equal(await store.runs.reserveSpend(runId, part), null);
    // three parts set apart and given back leave nothing, not the last digits of a sum either
    for (let given = 0; given < 3; given++)
      await store.runs.settleSpend(runId, { spent: { tokens: 0, costUsd: 0 }, reserved: part });
    assert.deepEqual((await store.runs.get(runId))?.spend.reserved, { tokens: 0, costUsd: 0 });
  },
} satisfies Record<string, StoreCheck>;
