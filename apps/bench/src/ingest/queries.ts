import { setTimeout as sleep } from "node:timers/promises";
import { openSearch } from "@emb/search";
import { atMost, pairedRatio, row } from "../report.js";
import { watchProcessors, type BenchWorld } from "./bench-world.js";
import { documentText } from "./corpus.js";
import { BASE, withWorld } from "./emb.js";
import { measured, takeIn, type Section } from "./fill.js";
import type { QueryFigures, TaskOf } from "./task.js";

const PER_SECOND = 20;
const SECONDS = 10;
/** Served while another namespace is filled; large enough for an index. */
const SERVED_DOCUMENTS = 6_000;
const WARM_UP = 20;

/** Queries at a steady rate, whatever came of those before, alone and beside a worker that fills another base of the same server. */
export async function measureQueries(world: BenchWorld, rounds: number): Promise<Section> {
  const quiet: number[] = [];
  const beside: number[] = [];
  const filled: number[] = [];
  const busy: number[] = [];
  await measured(world, async (served) => {
    await world.run({ name: "reingest", until: "end", schema: served, documents: SERVED_DOCUMENTS, ...takeIn });
    const task = {
      name: "queries",
      schema: served,
      documents: SERVED_DOCUMENTS,
      perSecond: PER_SECOND,
      seconds: SECONDS,
      service: world.service("slow"),
    } as const;
    for (let round = 0; round < rounds; round++) {
      await world.settle();
      quiet.push((await world.runQueries(task)).p95_ms);
      await measured(world, async (schema) => {
        // as a service answers that is not on this machine, in 50 ms
        const documents = FILL_DOCUMENTS;
        await world.run({ name: "reingest", until: "fill", schema, documents, ...takeIn });
        await world.settle();
        const busyNow = watchProcessors();
        const stop = new AbortController();
        const work = world.start(
          { name: "work", schema, documents, startAtMs: 0, service: world.service("slow") },
          stop.signal,
        );
        await sleep(1500);
        beside.push((await world.runQueries(task)).p95_ms);
        const { rows } = await world.sql.query<{ done: number }>(
          `SELECT coalesce(sum(documents), 0)::integer AS done FROM ${schema}.shards`,
        );
        if (rows[0]!.done >= documents) throw new Error("the fill ended before the queries did");
        filled.push(rows[0]!.done / (SECONDS + 1.5));
        busy.push(busyNow());
        stop.abort();
        await work;
      });
    }
  });
  return {
    rows: [
      row(`queries at ${PER_SECOND}/s, p95, quiet`, "ms", quiet),
      row(`queries at ${PER_SECOND}/s, p95, beside a fill`, "ms", beside),
      row("that fill", "docs/s", filled),
      row("processors busy meanwhile", "%", busy),
    ],
    goals: [atMost("queries beside a fill: p95 / quiet p95", pairedRatio(beside, quiet), 2)],
  };
}
/** More than a worker fills meanwhile. */
const FILL_DOCUMENTS = 200_000;

export const queriesTask = (task: TaskOf<"queries">): Promise<QueryFigures> =>
  withWorld(task, async ({ store, provider }) => {
    const { signal } = new AbortController();
    const [address] = await store.namespaces.list(BASE);
    if (address === undefined) throw new Error("there is no namespace to search");
    const search = await openSearch({ namespaces: store.namespaces, address, provider, strict: true, signal });
    const ask = async (n: number): Promise<number> => {
      const begin = performance.now();
      const text = documentText(n % task.documents, []).slice(0, 200);
      const { hits } = await search.search({ text, topK: 10 }, { signal });
      if (hits.length !== 10) throw new Error(`query ${n}: ${hits.length} hits`);
      return performance.now() - begin;
    };
    for (let n = 0; n < WARM_UP; n++) await ask(n);
    const count = task.perSecond * task.seconds;
    const start = performance.now();
    const times = await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const dueMs = start + (n * 1000) / task.perSecond;
        await sleep(dueMs - performance.now());
        await ask(n);
        return performance.now() - dueMs; // with what it waited for its turn
      }),
    );
    return { p95_ms: times.toSorted((a, b) => a - b)[Math.floor(count * 0.95)]! };
  });
