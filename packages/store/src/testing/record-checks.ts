import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoreCheck } from "./namespace-checks.js";
import { newBase } from "./sealed-sample.js";

const reportOf = (base: string) => ({
  instance: randomUUID(),
  environment: "test",
  base,
  namespace: `${base}_first`,
  profile: "first",
  use: "serving" as const,
});
const unsaid = "f".repeat(64);

/** Checks of readers, serving history and audit log. */
export const recordChecks = {
  "a reader is listed from its first report until it leaves": async (store) => {
    const base = newBase();
    const [first, second] = [{ ...reportOf(base), use: "shadow" as const }, reportOf(base)];
    await store.readers.report(first);
    await store.readers.report(second);
    const listed = await store.readers.list({ withinMs: 60_000, base });
    assert.deepEqual(new Set(listed.map(({ instance }) => instance)), new Set([first.instance, second.instance]));
    const { startedAt, seenAt, ...reported } = listed.find(({ instance }) => instance === first.instance)!;
    assert.deepEqual(reported, first);
    assert.ok(seenAt >= startedAt);
    await store.readers.leave(first.instance);
    assert.deepEqual(
      (await store.readers.list({ withinMs: 60_000, base })).map(({ instance }) => instance),
      [second.instance],
    );
    const departed = await store.readers.list({ withinMs: 60_000, base, departed: true });
    assert.deepEqual(new Set(departed.map(({ instance }) => instance)), new Set([first.instance, second.instance]));
    await store.readers.report(first); // a shadow that is on again
    assert.equal((await store.readers.list({ withinMs: 60_000, base })).length, 2);
  },
  "a silent reader is not listed, and a sign of life brings it first": async (store) => {
    const base = newBase();
    const [first, second] = [reportOf(base), reportOf(base)];
    await store.readers.report(first);
    await sleep(80);
    await store.readers.report(second);
    const listed = async (withinMs: number) =>
      (await store.readers.list({ withinMs, base })).map(({ instance }) => instance);
    assert.deepEqual(await listed(60_000), [second.instance, first.instance]);
    await sleep(80);
    assert.deepEqual(await listed(40), []);
    await store.readers.report({ ...first, profile: "second" });
    assert.deepEqual(await listed(60_000), [first.instance, second.instance]);
    assert.equal((await store.readers.list({ withinMs: 60_000, base }))[0]?.profile, "second");
  },
  "the first start with another profile is a cutover": async (store) => {
    const base = newBase();
    const serve = (profile: string, environment = "test") =>
      store.readers.recordServing({ environment, base, profile, namespace: `${base}_${profile}` });
    assert.equal(await serve("first"), null);
    assert.equal(await serve("first"), "first");
    assert.equal(await serve("second"), "first");
    assert.equal(await serve("first", "staging"), null);
    assert.equal(await serve("first"), "second");
    const history = await store.readers.servingHistory({ environment: "test", base, limit: 10 });
    assert.deepEqual(
      history.map(({ profile }) => profile),
      ["first", "second", "first"],
    );
    assert.equal(history[0]?.namespace, `${base}_first`);
    assert.equal((await store.readers.servingHistory({ environment: "test", base, limit: 1 })).length, 1);
  },
  "what is appended is listed newest first and moves the head": async (store) => {
    const before = await store.audit.head();
    const detail = { profile: "first", rows: 3, strict: true, reason: null, text: 'with "quotes" and ü' };
    const first = await store.audit.append({ action: "run.ready", actor: "somebody@host", detail });
    const second = await store.audit.append({ action: "cutover", actor: "query-1", detail: {} });
    assert.equal(first.rows, before.rows + 1);
    assert.deepEqual(await store.audit.head(), second);
    assert.notEqual(first.head, second.head);
    const [newest, older] = await store.audit.list({ limit: 2 });
    assert.deepEqual([newest?.action, newest?.sequence, newest?.hash], ["cutover", second.rows, second.head]);
    assert.deepEqual(
      [older?.action, older?.actor, older?.detail, older?.hash],
      ["run.ready", "somebody@host", detail, first.head],
    );
    assert.ok(older!.at <= newest!.at);
  },
  "rows are listed by their action": async (store) => {
    const action = `check.${randomUUID()}`;
    const one = await store.audit.append({ action, actor: "check", detail: { place: 1 } });
    await store.audit.append({ action: "another", actor: "check", detail: {} });
    const listed = await store.audit.list({ limit: 10, action });
    assert.deepEqual(
      listed.map(({ sequence, detail }) => [sequence, detail]),
      [[one.rows, { place: 1 }]],
    );
  },
  "rows are read as they are stored, oldest first, and prove themselves": async (store) => {
    const before = await store.audit.head();
    for (const place of [1, 2, 3]) await store.audit.append({ action: "check", actor: "check", detail: { place } });
    const rows = [
      ...(await store.audit.read({ after: before.rows, limit: 2 })),
      ...(await store.audit.read({ after: before.rows + 2, limit: 2 })),
    ];
    assert.deepEqual(
      rows.map(({ sequence }) => sequence - before.rows),
      [1, 2, 3],
    );
    let hash = before.head;
    for (const row of rows) {
      hash = createHash("sha256").update(`${hash}\n${row.entry}`).digest("hex");
      assert.equal(row.hash, hash);
    }
  },
  "a log that others append to meanwhile verifies as it was at one moment": async (store) => {
    const append = () => store.audit.append({ action: "check", actor: "check", detail: {} });
    for (let round = 0; round < 20; round++) {
      const [seen] = await Promise.all([store.audit.verify(), append(), append(), append()]);
      assert.deepEqual({ ok: seen.ok, firstBad: seen.firstBad }, { ok: true, firstBad: null });
    }
  },
  "an untouched log verifies, with any head it ever had": async (store) => {
    const first = await store.audit.append({ action: "rollback", actor: "check", detail: {} });
    const head = await store.audit.append({ action: "rollback", actor: "check", detail: {} });
    for (const expected of [undefined, first.head, head.head]) {
      assert.deepEqual(await store.audit.verify(expected), { ...head, ok: true, firstBad: null });
    }
  },
  "a log without the expected head is cut off": async (store) => {
    const head = await store.audit.append({ action: "rollback", actor: "check", detail: {} });
    assert.deepEqual(await store.audit.verify(unsaid), { ...head, ok: false, firstBad: head.rows + 1 });
  },
  "concurrent appends make one chain": async (store) => {
    const before = await store.audit.head();
    const heads = await Promise.all(
      Array.from({ length: 8 }, (_, i) => store.audit.append({ action: "check", actor: `writer-${i}`, detail: { i } })),
    );
    assert.deepEqual(
      heads.map(({ rows }) => rows).toSorted((a, b) => a - b),
      heads.map((_, i) => before.rows + 1 + i),
    );
    assert.equal((await store.audit.verify()).ok, true);
  },
} satisfies Record<string, StoreCheck>;
