import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planReingest } from "./plan-reingest.js";
import { reingest } from "./reingest.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

describe("planReingest", { timeout: 120_000 }, () => {
  let world: SmallWorld;
  beforeAll(async () => {
    world = await openSmallWorld();
  }, 60_000);
  afterAll(() => world.close());

  it("says what the re-ingest then does, to the token, and writes nothing", async () => {
    const source = sourceOf("test:plan", { ...TEN, "again.txt": TEN["doc-3.txt"]!, "blank.txt": " " });
    const plan = await planReingest(await world.setup("plan", source));
    expect(plan).toMatchObject({
      namespace: "plan_one",
      exists: false,
      documents: 12,
      removed: 0,
      setAside: 0,
      chunks: { total: 11, toEmbed: 10, unchanged: 1 },
      tokensExact: true,
    });
    expect(plan.bytes.vectors).toBe(11 * 384 * 4);
    expect(world.embedded()).toEqual([]);
    expect(await world.store.namespaces.list("plan")).toEqual([]);
    expect(await world.store.documents.count("plan")).toEqual({ live: 0, deleted: 0 });
    expect(await world.store.runs.list({ base: "plan" })).toEqual([]);

    const report = await reingest(await world.setup("plan", source));
    expect(report.chunks).toMatchObject({ total: plan.chunks.total, embedded: plan.chunks.toEmbed });
    expect(report.spend.tokens).toBe(plan.tokens);
    expect(report.spend.costUsd).toBeCloseTo(plan.costUsd!, 12);

    const again = await planReingest(await world.setup("plan", source));
    expect(again).toMatchObject({ exists: true, chunks: { total: 11, toEmbed: 0, unchanged: 11 }, tokens: 0 });
    expect(again.costUsd).toBe(0);
    expect(again.seconds).toBe(0);
  });

  it("takes the rate of no run that has not come to its end", async () => {
    const stop = new AbortController();
    const source = sourceOf("test:rate", TEN);
    const broken = await world.setup("rate", source, {
      space: "rate",
      profile: "two",
      commitRows: 1,
      signal: stop.signal,
      onProgress: (now) => now.kind === "fill" && now.documents >= 5 && stop.abort(new Error("killed")),
    });
    await expect(reingest(broken)).rejects.toThrow("killed");
    const [run] = (await world.store.runs.list({ base: "rate" })).filter(({ profile }) => profile === "two");
    expect(run!.counters.embedded).toBeGreaterThanOrEqual(5);
    expect(run!.updatedAt.getTime()).toBeGreaterThan(run!.createdAt.getTime());
    const plan = await planReingest(await world.setup("rate", source, { space: "rate", profile: "two" }));
    expect(plan).toMatchObject({ seconds: null, unfinished: { id: run!.id } });
  });

  it("counts what changed, what is gone, and what other sources of the base hold", async () => {
    await reingest(await world.setup("mix", sourceOf("test:a", TEN)));
    await reingest(await world.setup("mix", sourceOf("test:b", { "other.txt": "Ferry of another source." })));
    const { "doc-0.txt": _gone, ...rest } = TEN;
    const changed = { ...rest, "doc-5.txt": "Ferry number 5 is in the yard." };
    const mix = { documents: 10, removed: 1, setAside: 0, chunks: { total: 10, toEmbed: 1, unchanged: 9 } };
    expect(await planReingest(await world.setup("mix", sourceOf("test:a", changed)))).toMatchObject(mix);

    const another = await planReingest(await world.setup("mix", sourceOf("test:a", changed), { profile: "two" }));
    expect(another).toMatchObject({ namespace: "mix_two", documents: 10, chunks: { total: 10, toEmbed: 10 } });
  });

  it("keeps what is stored of a document that cannot be read, and of all that such an item hides", async () => {
    await reingest(await world.setup("hides", sourceOf("test:h", TEN)));
    const broken = { code: "EMB_DOCUMENT_UNREADABLE", reason: "-" } as const;
    const one = sourceOf("test:h", { "doc-0.txt": TEN["doc-0.txt"]!, "doc-1.txt": broken });
    expect(await planReingest(await world.setup("hides", one))).toMatchObject({
      documents: 2,
      removed: 8,
      setAside: 1,
    });
    const folder = sourceOf("test:h", { "doc-0.txt": TEN["doc-0.txt"]!, folder: { ...broken, hidesIds: true } });
    expect(await planReingest(await world.setup("hides", folder))).toMatchObject({
      documents: 10,
      removed: 0,
      setAside: 1,
    });
  });

  it("refuses what the re-ingest would refuse", async () => {
    await reingest(await world.setup("mode", sourceOf("test:mode", TEN)));
    await expect(
      planReingest(await world.setup("mode", sourceOf("test:mode", TEN), { mode: "none" })),
    ).rejects.toMatchObject({ code: "EMB_NAMESPACE_MODE_MISMATCH" });
    await expect(planReingest(await world.setup("void", sourceOf("test:void", {})))).rejects.toMatchObject({
      code: "EMB_SOURCE_EMPTY",
    });
  });
});
