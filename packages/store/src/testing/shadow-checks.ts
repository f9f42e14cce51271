import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { ShadowRead } from "../shadow-reads.js";
import type { Store } from "../store.js";
import type { StoreCheck } from "./namespace-checks.js";
import { documentOf, newBase } from "./sealed-sample.js";

const HOUR_MS = 3_600_000;

const answerOf = (base: string, profile: string, ids: readonly string[]) => ({
  profile,
  namespace: `${base}_${profile}`,
  documents: ids.map((id, place) => ({ id, score: 0.1 + 0.2 - place / 3 })), // 0.30000000000000004 first
  latencyMs: 12.345_678_901_234_5,
});

/** @param found ids in the baseline's and the candidate's list */
const readOf = (
  base: string,
  query: string,
  found: readonly [string[], string[]] = [["a", "b"], ["b"]],
): ShadowRead => ({
  base,
  query,
  k: 10,
  baseline: answerOf(base, "first", found[0]),
  candidate: answerOf(base, "second", found[1]),
  outcome: "answered",
});

const queries = async (store: Store, base: string) =>
  (await store.shadowReads.list({ base, limit: 100 })).map(({ query }) => query);

const put = async (store: Store, base: string, id: string) =>
  store.documents.put({ base, source: "put", document: documentOf(id, await store.documents.nextVersion()) });

const remove = async (store: Store, base: string, documentId: string, erase = false) =>
  store.documents.delete({ base, documentId, version: await store.documents.nextVersion(), erase });

/** Checks of recorded shadow reads. */
export const shadowChecks = {
  "a shadow read is kept as it came, and listed newest first": async (store) => {
    const base = newBase();
    const first = readOf(base, ' When does "Ferry ü" 🛳 leave?\n');
    const second: ShadowRead = {
      ...readOf(base, "why?"),
      candidate: answerOf(base, "second", []),
      outcome: "timeout",
    };
    assert.equal(await store.shadowReads.record(first), true);
    assert.equal(await store.shadowReads.record(second), true);
    await store.shadowReads.record(readOf(newBase(), "elsewhere"));
    const listed = await store.shadowReads.list({ base, limit: 10 });
    assert.deepEqual(
      listed.map(({ id: _id, at: _at, ...read }) => read),
      [second, first],
    );
    assert.ok(listed[0]!.id > listed[1]!.id && listed[0]!.at >= listed[1]!.at);
    assert.deepEqual(await store.shadowReads.list({ base, limit: 1 }), listed.slice(0, 1));
  },
  "a shadow read that lists a document deleted meanwhile is not kept": async (store) => {
    const base = newBase();
    for (const id of ["a", "b", "c"]) await put(store, base, id);
    await remove(store, base, "a");
    assert.equal(await store.shadowReads.record(readOf(base, "before", [["a"], ["b"]])), false);
    assert.equal(await store.shadowReads.record(readOf(base, "beside", [["b"], ["c", "a"]])), false);
    assert.equal(await store.shadowReads.record(readOf(base, "apart", [["b"], ["c"]])), true);
    assert.equal(await store.shadowReads.record(readOf(newBase(), "another base", [["a"], ["a"]])), true);
    assert.deepEqual(await queries(store, base), ["apart"]);
  },
  "shadow reads are counted by base and by pair of profiles": async (store) => {
    const base = newBase();
    assert.deepEqual(await store.shadowReads.counts(base), []);
    await store.shadowReads.record(readOf(base, "one"));
    await store.shadowReads.record({ ...readOf(base, "two"), outcome: "failed" });
    await store.shadowReads.record({
      ...readOf(base, "three"),
      candidate: answerOf(base, "third", []),
      outcome: "timeout",
    });
    await store.shadowReads.record(readOf(newBase(), "elsewhere"));
    const counts = await store.shadowReads.counts(base);
    assert.deepEqual(
      counts.map(({ oldestAt: _oldest, newestAt: _newest, ...row }) => row),
      [
        { baseline: "first", candidate: "second", reads: 2, answered: 1 },
        { baseline: "first", candidate: "third", reads: 1, answered: 0 },
      ],
    );
    const listed = await store.shadowReads.list({ base, limit: 10 });
    assert.deepEqual([counts[0]?.oldestAt, counts[0]?.newestAt], [listed[2]?.at, listed[1]?.at]);
  },
  "queries are sampled by a seed, each text once": async (store) => {
    const base = newBase();
    const texts = Array.from({ length: 12 }, (_, place) => `question ${place}`);
    for (const query of [...texts, ...texts.slice(0, 6)]) await store.shadowReads.record(readOf(base, query));
    await store.shadowReads.record(readOf(newBase(), "elsewhere"));
    const sample = (limit: number, seed: number) => store.shadowReads.sampleQueries({ base, limit, seed });
    const all = await sample(100, 1);
    assert.deepEqual(all.toSorted(), texts.toSorted());
    assert.deepEqual(await sample(5, 1), all.slice(0, 5));
    assert.notDeepEqual(await sample(100, 2), all);
    await store.shadowReads.record(readOf(base, "one more"));
    const more = await sample(100, 1);
    assert.deepEqual(
      more.filter((query) => query !== "one more"),
      all,
    );
  },
  "no more shadow reads are kept than asked for, and none that is older": async (store) => {
    const [base, other] = [newBase(), newBase()];
    await store.shadowReads.record(readOf(other, "elsewhere"));
    for (const query of ["one", "two", "three", "four"]) await store.shadowReads.record(readOf(base, query));
    const prune = (keep: number, maxAgeMs: number) => store.shadowReads.prune({ base, keep, maxAgeMs });
    assert.equal(await prune(4, HOUR_MS), 0);
    assert.equal(await prune(3, HOUR_MS), 1);
    assert.deepEqual(await queries(store, base), ["four", "three", "two"]);
    await sleep(40);
    await store.shadowReads.record(readOf(base, "five"));
    assert.equal(await prune(10, 30), 3);
    assert.deepEqual(await queries(store, base), ["five"]);
    assert.equal(await prune(0, HOUR_MS), 1);
    assert.deepEqual(await queries(store, base), []);
    assert.deepEqual(await queries(store, other), ["elsewhere"]);
  },
  "an erased document takes the shadow reads that list it with it, and no others": async (store) => {
    const [base, other] = [newBase(), newBase()];
    for (const id of ["a", "b", "ab"]) await put(store, base, id);
    await store.shadowReads.record(readOf(base, "served", [["b", "a"], ["b"]]));
    await store.shadowReads.record(readOf(base, "shadowed", [["b"], ["a"]]));
    await store.shadowReads.record(readOf(base, "another", [["ab"], ["b"]]));
    await store.shadowReads.record(readOf(other, "another base", [["a"], ["a"]]));
    await remove(store, base, "b");
    assert.equal((await queries(store, base)).length, 3); // a plain deletion leaves what was found then
    await remove(store, base, "a", true);
    assert.deepEqual(await queries(store, base), ["another"]);
    assert.deepEqual(await queries(store, other), ["another base"]);
  },
  "a query with a character that no text holds is refused": async (store) => {
    const base = newBase();
    await assert.rejects(store.shadowReads.record(readOf(base, "a\0b")), { code: "EMB_DOCUMENT_INVALID" });
    assert.deepEqual(await queries(store, base), []);
  },
} satisfies Record<string, StoreCheck>;
