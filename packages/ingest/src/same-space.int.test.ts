import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import { planReingest } from "./plan-reingest.js";
import { reingest } from "./reingest.js";
import { sameSpace } from "./same-space.js";
import type { Source } from "./source.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

let world: SmallWorld;
beforeAll(async () => (world = await openSmallWorld()), 60_000);
afterAll(() => world.close());

/** Both bases are in one space. */
const setup = (base: string, source: Source, more: Parameters<SmallWorld["setup"]>[2] = {}) =>
  world.setup(base, source, { ...more, space: "shared" });

const vectorsOf = async (base: string, profile: string) => {
  const [record] = (await world.store.namespaces.list(base)).filter(({ seal }) => seal.profile === profile);
  const reader = await world.store.namespaces.openReader(record!, record!.seal, { strict: true });
  const rows = await reader.sampleVectors({ limit: 100, seed: 1 });
  return new Map(rows.map(({ documentId, vector }) => [documentId, [...vector]]));
};

describe("a namespace of a vector space that is there already", { timeout: 120_000 }, () => {
  it("is filled inside the database: what the other holds is not embedded, what it set aside is", async () => {
    const source = sourceOf("test:space", TEN);
    const refuse = (text: string) =>
      text.includes("number 7") ? new EmbError("EMB_PROVIDER_REJECTED", "bad", { hint: "-" }) : null;
    await reingest(await setup("space", source, { refuse, acceptFailures: 1 }));
    const again = await setup("space", source, { profile: "again" });
    expect(await planReingest(again)).toMatchObject({ chunks: { total: 10, toEmbed: 1 } });
    const report = await reingest(again);
    expect(world.embedded()).toEqual([TEN["doc-7.txt"]]);
    expect(report).toMatchObject({
      state: "ready",
      documents: 10,
      chunks: { total: 10, embedded: 1, skipped: 9, failed: 0 },
    });
    const [first, second] = [await vectorsOf("space", "one"), await vectorsOf("space", "again")];
    expect(second.size).toBe(10);
    for (const [id, vector] of first) expect(second.get(id)).toEqual(vector);
  });

  it("of another base takes the vectors of equal texts", async () => {
    const report = await reingest(await setup("elsewhere", sourceOf("test:elsewhere", { "x.txt": TEN["doc-3.txt"]! })));
    expect(report).toMatchObject({ state: "ready", chunks: { total: 1, embedded: 0, skipped: 1 } });
    expect(world.embedded()).toEqual([]);
    expect((await vectorsOf("elsewhere", "one")).get("x.txt")).toEqual(
      (await vectorsOf("space", "one")).get("doc-3.txt"),
    );
  });

  it("of another space takes nothing", async () => {
    const report = await reingest(await setup("space", sourceOf("test:space", TEN), { profile: "two" }));
    expect(report).toMatchObject({ state: "ready", chunks: { embedded: 10 } });
  });

  it("is the same only with an equal space, storage, and witness", async () => {
    const records = (await world.store.namespaces.list()).map((record) => ({ ...record }));
    const of = (base: string, profile: string) =>
      records.find((record) => record.base === base && record.seal.profile === profile)!;
    const one = of("space", "one");
    const found = (all: typeof records) => sameSpace(one, all, 0.999).map(({ namespace }) => namespace);
    expect(found(records)).toEqual(["space_again", "elsewhere_one"]);
    const again = of("space", "again");
    const sealed = (change: Partial<typeof again.seal>) => found([{ ...again, seal: { ...again.seal, ...change } }]);
    expect(sealed({})).toEqual(["space_again"]);
    expect(sealed({ storage: "halfvec" })).toEqual([]);
    expect(sealed({ witness: again.seal.witness.slice(1) })).toEqual([]);
    expect(
      sealed({ witness: again.seal.witness.map((probe) => ({ ...probe, vector: probe.vector.map((x) => -x) })) }),
    ).toEqual([]);
    expect(found([{ ...again, state: "retired" }])).toEqual([]);
  });
});
