import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../store.js";
import type { StoreCheck } from "./namespace-checks.js";
import { startFilling } from "./sealed-sample.js";

/** Runs over three documents whose shards are not cut yet. */
async function uncutRuns(store: Store): Promise<() => Promise<string>> {
  const { base, record, version } = await startFilling(store, ["a", "b", "c"]);
  return async () => {
    const id = randomUUID();
    await store.runs.create({ id, base, namespaceId: record.id, profile: "first", source: "sample", version });
    return id;
  };
}

/** Checks of workers and of what wakes them. */
export const workerChecks = {
  "a worker is listed with the shards it holds, from its first report until it leaves": async (store) => {
    const runId = await (await uncutRuns(store))();
    await store.runs.cutShards(runId, 1);
    const report = { instance: randomUUID(), environment: "test", host: "here", pid: 17 };
    await store.workers.report(report);
    const seen = async () =>
      (await store.workers.list({ withinMs: 60_000 })).find(({ instance }) => instance === report.instance);
    const { startedAt, seenAt, ...reported } = (await seen())!;
    assert.deepEqual(reported, { ...report, shards: 0 });
    assert.ok(seenAt >= startedAt);

    const claim = (owner: string, leaseMs: number) => store.runs.claimShard(runId, { owner, leaseMs });
    const held = await claim(report.instance, 60_000);
    await claim(report.instance, 1);
    await claim("somebody else", 60_000);
    await sleep(20);
    assert.equal((await seen())?.shards, 1);
    await store.runs.complete(held!);
    assert.equal((await seen())?.shards, 0);
    await store.workers.leave(report.instance);
    assert.equal(await seen(), undefined);
  },
  "a silent worker is not listed, and a sign of life brings it first": async (store) => {
    const [first, second] = [1, 2].map((pid) => ({ instance: randomUUID(), environment: "test", host: "here", pid }));
    const listed = async (withinMs: number) =>
      (await store.workers.list({ withinMs }))
        .map(({ instance }) => instance)
        .filter((instance) => instance === first!.instance || instance === second!.instance);
    await store.workers.report(first!);
    await sleep(80);
    await store.workers.report(second!);
    assert.deepEqual(await listed(60_000), [second!.instance, first!.instance]);
    await sleep(80);
    assert.deepEqual(await listed(40), []);
    await store.workers.report(first!);
    assert.deepEqual(await listed(60_000), [first!.instance, second!.instance]);
  },
  "a worker that was killed is forgotten by the next sign of life of another": async (store) => {
    const [killed, living] = [1, 2].map((pid) => ({ instance: randomUUID(), environment: "test", host: "here", pid }));
    const listed = async () => (await store.workers.list({ withinMs: 60_000 })).map(({ instance }) => instance);
    await store.workers.report(killed!);
    await store.workers.report(living!);
    assert.ok((await listed()).includes(killed!.instance));
    await sleep(40);
    await store.workers.report(living!, { forgetAfterMs: 20 });
    assert.deepEqual(await listed(), [living!.instance]);
  },
  "no minute holds more requests or tokens than the limit, whoever asks": async (store) => {
    const paced = async (limits: { requests: number | null; tokens: number | null }, costs: readonly number[]) => {
      const key = randomUUID();
      const [requestsPerMinute, tokensPerMinute] = [limits.requests, limits.tokens];
      const startMs = performance.now();
      const sent = await Promise.all(
        costs.map(async (tokens) => {
          const waitMs = await store.rateLimits.reserve({ key, requestsPerMinute, tokensPerMinute, tokens });
          return { atMs: performance.now() - startMs + waitMs, tokens };
        }),
      );
      return sent.toSorted((a, b) => a.atMs - b.atMs);
    };
    /** The most that any minute holds. */
    const most = (sent: readonly { atMs: number; tokens: number }[], of: (one: { tokens: number }) => number) =>
      Math.max(
        ...sent.map(({ atMs }) =>
          sent
            .filter((other) => other.atMs >= atMs && other.atMs < atMs + 60_000)
            .reduce((sum, one) => sum + of(one), 0),
        ),
      );
    const requests = await paced(
      { requests: 20, tokens: null },
      Array.from({ length: 50 }, () => 1e9),
    );
    assert.equal(
      most(requests, () => 1),
      20,
      "as many as the limit, and no more",
    );
    const costs = Array.from({ length: 60 }, (_, place) => 10 + ((place * 37) % 90));
    const tokens = most(await paced({ requests: null, tokens: 1_000 }, costs), (one) => one.tokens);
    assert.ok(tokens <= 1_000 && tokens > 800, `${tokens} tokens in a minute, want at most 1000, and not much less`);
    const both = await paced(
      { requests: 30, tokens: 400 },
      Array.from({ length: 20 }, () => 100),
    );
    assert.ok(most(both, (one) => one.tokens) <= 400);
    assert.equal(
      await store.rateLimits.reserve({ key: randomUUID(), requestsPerMinute: 1, tokensPerMinute: null, tokens: 1 }),
      0,
    );
  },
  "wake-ups come with the shards, one for each of at most 64, and each is taken once": async (store) => {
    const wanted = (count: number) => (store.capabilities.shared ? count : 0); // else there is nobody to wake
    const takeAll = async () => {
      let taken = 0;
      while (await store.wakeups.take()) taken++;
      return taken;
    };
    await takeAll();
    const newRun = await uncutRuns(store);
    const runId = await newRun();
    const wakes = async (id: string, wake: boolean) => {
      await store.runs.cutShards(id, 1, { wake });
      return takeAll();
    };
    assert.equal(await wakes(runId, true), wanted(3));
    assert.equal(await wakes(runId, true), 0, "shards that were there already wake nobody");
    assert.equal(await wakes(await newRun(), false), 0);
    await store.wakeups.send(200);
    assert.equal(await takeAll(), wanted(64));
  },
} satisfies Record<string, StoreCheck>;
