import { randomUUID } from "node:crypto";
import type { Documents } from "@emb/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeIn } from "./intake.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";
import type { Source, SourceItem } from "./source.js";

/** More than two batches. */
const MANY = 2_300;
const idOf = (i: number) => `doc-${String(i).padStart(5, "0")}`;
const document = (i: number, text: string): SourceItem => ({
  kind: "document",
  id: idOf(i),
  title: null,
  format: "text",
  text,
  metadata: {},
  version: null,
});
const sourceWith = (items: Iterable<SourceItem>): Source => ({
  identity: "test:many",
  async *read() {
    yield* items;
  },
});
const numbers = Array.from({ length: MANY }, (_, i) => i);
/** Every number once, far from its neighbours. */
const scattered = numbers.map((i) => (i * 1_009) % MANY);

describe("an intake of more documents than a batch holds", () => {
  let world: SmallWorld;
  let documents: Documents;
  beforeAll(async () => {
    world = await openSmallWorld();
    ({
      store: { documents },
    } = await world.setup("many", sourceOf("folder:many", TEN)));
  });
  afterAll(() => world.close());

  const take = async (base: string, source: Source, through: Documents = documents) =>
    takeIn({
      documents: through,
      source,
      base,
      runId: randomUUID(),
      version: await documents.nextVersion(),
      signal: AbortSignal.timeout(60_000),
      onSetAside: async () => {},
    });

  it.each([
    ["in order of id", numbers],
    ["backwards", numbers.toReversed()],
    ["in no order", scattered],
    ["in order but for one", [...numbers.slice(0, 1_200), 2_299, ...numbers.slice(1_200, 2_299)]],
  ])("finds what changed and what is gone, %s", async (name, order) => {
    const base = `order ${name}`;
    const first = await take(base, sourceWith(order.map((i) => document(i, `text ${i}`))));
    expect(first).toMatchObject({ seen: MANY, created: MANY, changed: 0, unchanged: 0, removed: 0 });

    const changed = new Set([0, 999, 1_000, 1_001, 1_777, 2_299]);
    const gone = new Set([1, 998, 1_500, 2_298]);
    const setAside = 1_501;
    const calls: number[] = [];
    const counting: Documents = {
      ...documents,
      intake: (call) => {
        calls.push(call.documents.length);
        return documents.intake(call);
      },
    };
    const items = order
      .filter((i) => !gone.has(i))
      .map((i): SourceItem => {
        if (i === setAside)
          return { kind: "set-aside", id: idOf(i), code: "EMB_DOCUMENT_TOO_LARGE", reason: "-", hidesIds: false };
        return document(i, changed.has(i) ? `newer text ${i}` : `text ${i}`);
      });
    const second = await take(base, sourceWith(items), counting);
    expect(second).toMatchObject({
      seen: MANY - gone.size,
      created: 0,
      changed: changed.size,
      unchanged: MANY - gone.size - changed.size - 1,
      setAside: 1,
      removed: gone.size,
    });
    expect(calls).toEqual([changed.size]);
    const left = await documents.read({ base, after: null, through: null, limit: 10_000 });
    expect(left.map(({ id }) => id)).toEqual(numbers.filter((i) => !gone.has(i)).map(idOf));
    expect(left.filter(({ text }) => text.startsWith("newer")).map(({ id }) => id)).toEqual([...changed].map(idOf));
  });

  it("writes nothing any more once it has failed", async () => {
    let underWay = 0;
    const slow: Documents = {
      ...documents,
      intake: async (call) => {
        underWay++;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return documents.intake(call).finally(() => underWay--);
      },
    };
    const broken = sourceWith({
      *[Symbol.iterator]() {
        for (const i of numbers) yield document(i, `text ${i}`);
        throw new Error("the disk is gone");
      },
    });
    await expect(take("broken", broken, slow)).rejects.toThrow("the disk is gone");
    expect(underWay).toBe(0);
    expect(await documents.count("broken")).toEqual({ live: 2_000, deleted: 0 });
  });
});
