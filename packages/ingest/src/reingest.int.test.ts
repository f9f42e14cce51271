import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import { reingest } from "./reingest.js";
import type { Progress } from "./run-progress.js";
import type { Source } from "./source.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

describe("reingest", { timeout: 120_000 }, () => {
  let world: SmallWorld;
  beforeAll(async () => {
    world = await openSmallWorld();
  }, 60_000);
  afterAll(() => world.close());

  it("fills, verifies and makes ready; again, it embeds nothing", async () => {
    const source = sourceOf("test:twice", TEN);
    const progress: Progress["kind"][] = [];
    const first = await reingest(await world.setup("twice", source, { onProgress: ({ kind }) => progress.push(kind) }));
    expect(first).toMatchObject({
      state: "ready",
      namespace: "twice_one",
      documents: 10,
      resumed: false,
      chunks: {
        total: 10,
        embedded: 10,
        skipped: 0,
        failed: 0,
      },
      verification: {
        ok: true,
        expected: 10,
        found: 10,
        driftPct: 0,
      },
    });
    expect(first.spend.tokens).toBeGreaterThan(100);
    expect(first.spend.costUsd).toBeCloseTo((first.spend.tokens / 1e6) * 2, 12);
    expect(world.embedded()).toHaveLength(10);
    expect([...new Set(progress)]).toEqual(["run", "intake", "taken-in", "fill", "index", "verify"]);

    const again = await reingest(await world.setup("twice", source));
    expect(again).toMatchObject({
      state: "ready",
      chunks: { total: 10, embedded: 0, skipped: 10, failed: 0 },
      spend: { tokens: 0, costUsd: 0 },
    });
    expect(world.embedded()).toEqual([]);
  });

  it("embeds what changed, and removes what is gone", async () => {
    await reingest(await world.setup("change", sourceOf("test:change", TEN)));
    const { "doc-0.txt": _gone, ...rest } = TEN;
    const changed = { ...rest, "doc-5.txt": "Ferry number 5 is in the yard." };
    const report = await reingest(await world.setup("change", sourceOf("test:change", changed)));
    expect(report).toMatchObject({
      state: "ready",
      documents: 9,
      chunks: {
        total: 9,
        embedded: 1,
        skipped: 8,
        failed: 0,
      },
      intake: {
        seen: 9,
        created: 0,
        changed: 1,
        unchanged: 8,
        removed: 1,
      },
    });
    expect(world.embedded()).toEqual(["Ferry number 5 is in the yard."]);
  });

  it("takes nothing for gone while an item hides which documents it holds", async () => {
    await reingest(await world.setup("hidden", sourceOf("test:hidden", TEN)));
    const { "doc-0.txt": _gone, ...rest } = TEN;
    const broken = { code: "EMB_DOCUMENT_UNREADABLE", reason: "line 3 is not JSON", hidesIds: true } as const;
    const report = await reingest(
      await world.setup("hidden", sourceOf("test:hidden", { ...rest, "corpus.jsonl:3": broken })),
    );
    expect(report).toMatchObject({ state: "failed", intake: { setAside: 1, removed: 0 }, chunks: { total: 10 } });
    const repaired = await reingest(await world.setup("hidden", sourceOf("test:hidden", rest)));
    expect(repaired).toMatchObject({ state: "ready", intake: { removed: 1 }, chunks: { total: 9, embedded: 0 } });
  });

  it("embeds one text once, however many documents have it", async () => {
    const same = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`tiny-${String(i).padStart(3, "0")}`, `Ferry ${i % 7}`]),
    );
    const report = await reingest(
      await world.setup("tiny", sourceOf("test:tiny", same), { shardDocuments: 50, commitRows: 64 }),
    );
    expect(report).toMatchObject({ state: "ready", chunks: { total: 500, embedded: 7, skipped: 493 } });
    expect([...world.embedded()].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `Ferry ${i}`));
  });

  it("sets aside what cannot be read and what the provider refuses, names both, is not ready, and repairs on the next run", async () => {
    const bad = { ...TEN, "broken.txt": { code: "EMB_DOCUMENT_UNREADABLE", reason: "not UTF-8 at byte 3" } as const };
    const refuse = (text: string) =>
      text.includes("number 7")
        ? new EmbError("EMB_PROVIDER_REJECTED", "the service answered 400", { hint: "-" })
        : null;
    const report = await reingest(await world.setup("aside", sourceOf("test:aside", bad), { refuse }));
    expect(report).toMatchObject({
      state: "failed",
      chunks: { total: 9, embedded: 9, failed: 1 },
      intake: { setAside: 1 },
    });
    expect(report.reason).toContain("set_aside: seen 2");
    expect(await world.store.runs.failures(report.runId, 10)).toEqual([
      { documentId: "broken.txt", ordinal: null, code: "EMB_DOCUMENT_UNREADABLE", reason: "not UTF-8 at byte 3" },
      { documentId: "doc-7.txt", ordinal: 0, code: "EMB_PROVIDER_REJECTED", reason: "the service answered 400" },
    ]);
    expect((await world.store.namespaces.find({ base: "aside", suffix: "one" }))?.state).toBe("filling");

    const repaired = await reingest(await world.setup("aside", sourceOf("test:aside", TEN)));
    expect(repaired).toMatchObject({ state: "ready", chunks: { total: 10, embedded: 1, skipped: 9 } });
    expect(world.embedded()).toEqual(["Ferry number 7 leaves at 7 o'clock."]);
  });

  it("keeps what is committed when the provider goes away, and goes on from there", async () => {
    let calls = 0;
    const refuse = (text: string) =>
      text.startsWith("Ferry") && ++calls > 6
        ? new EmbError("EMB_PROVIDER_UNAVAILABLE", "no answer", { hint: "-" })
        : null;
    const source = sourceOf("test:away", TEN);
    await expect(reingest(await world.setup("away", source, { refuse }))).rejects.toMatchObject({
      code: "EMB_PROVIDER_UNAVAILABLE",
    });
    const committed = world.embedded().length;
    const report = await reingest(await world.setup("away", source));
    expect(report).toMatchObject({ state: "ready", resumed: true, intake: null, chunks: { total: 10, embedded: 10 } });
    expect(committed).toBe(6);
    expect(world.embedded()).toHaveLength(4);
  });

  it("stops on abort, gives its shard back, and the same call finishes", async () => {
    const stop = new AbortController();
    const source = sourceOf("test:abort", TEN);
    const onProgress = (progress: Progress) => {
      if (progress.kind === "fill" && progress.documents >= 3) stop.abort(new Error("stopped by hand"));
    };
    await expect(reingest(await world.setup("abort", source, { signal: stop.signal, onProgress }))).rejects.toThrow(
      "stopped by hand",
    );
    const report = await reingest(await world.setup("abort", source));
    expect(report).toMatchObject({
      state: "ready",
      resumed: true,
      chunks: { total: 10 },
      verification: { driftPct: 0 },
    });
  });

  it("fills a second profile beside the first without touching it", async () => {
    const source = sourceOf("test:beside", TEN);
    await reingest(await world.setup("beside", source));
    const second = await reingest(await world.setup("beside", source, { profile: "two" }));
    expect(second).toMatchObject({ state: "ready", namespace: "beside_two", chunks: { total: 10, embedded: 10 } });
    expect((await world.store.namespaces.list("beside")).map(({ namespace, state }) => [namespace, state])).toEqual([
      ["beside_one", "ready"],
      ["beside_two", "ready"],
    ]);
  });

  it("refuses a second profile in mode none before anything is embedded", async () => {
    const source = sourceOf("test:none", TEN);
    await reingest(await world.setup("none", source, { mode: "none" }));
    const refused = reingest(await world.setup("none", source, { mode: "none", profile: "two" }));
    await expect(refused).rejects.toMatchObject({ code: "EMB_NAMESPACE_OCCUPIED" });
    expect(world.embedded()).toEqual([]);
  });

  it("refuses another namespace mode on the same base", async () => {
    const source = sourceOf("test:mode", TEN);
    await reingest(await world.setup("mode", source));
    await expect(reingest(await world.setup("mode", source, { mode: "version" }))).rejects.toMatchObject({
      code: "EMB_NAMESPACE_MODE_MISMATCH",
    });
  });

  it("refuses an empty source and leaves what is stored", async () => {
    await reingest(await world.setup("empty", sourceOf("test:empty", TEN)));
    await expect(reingest(await world.setup("empty", sourceOf("test:empty", {})))).rejects.toMatchObject({
      code: "EMB_SOURCE_EMPTY",
    });
    expect(await world.store.documents.count("empty")).toEqual({ live: 10, deleted: 0 });
    // the failed run stands in nobody's way
    expect(await reingest(await world.setup("empty", sourceOf("test:another", TEN)))).toMatchObject({
      state: "ready",
      resumed: false,
    });
  });

  it("keeps an empty document, without chunks", async () => {
    const report = await reingest(
      await world.setup("blank", sourceOf("test:blank", { "a.txt": "Ferry", "b.txt": " \n " })),
    );
    expect(report).toMatchObject({ state: "ready", documents: 2, intake: { empty: 1 }, chunks: { total: 1 } });
  });

  it("replaces an unfinished run of another source, and keeps what it committed", async () => {
    const away = () => new EmbError("EMB_PROVIDER_UNAVAILABLE", "no answer", { hint: "-" });
    const refuse = (text: string) => (text.startsWith("Ferry") ? away() : null);
    await expect(reingest(await world.setup("busy", sourceOf("test:busy-a", TEN), { refuse }))).rejects.toThrow(
      "no answer",
    );
    const report = await reingest(await world.setup("busy", sourceOf("test:busy-b", TEN)));
    expect(report).toMatchObject({ state: "ready", resumed: false, chunks: { total: 10, embedded: 10 } });
    const [, old] = await world.store.runs.list({ base: "busy" });
    expect(old).toMatchObject({ state: "failed", reason: "replaced by a run from test:busy-b" });
  });

  it("takes over the documents of a source that was moved, and removes what is gone from there", async () => {
    await reingest(await world.setup("moved", sourceOf("test:old-place", TEN)));
    await reingest(await world.setup("moved", sourceOf("test:new-place", TEN)));
    const { "doc-0.txt": _gone, ...rest } = TEN;
    const report = await reingest(await world.setup("moved", sourceOf("test:new-place", rest)));
    expect(report).toMatchObject({ state: "ready", intake: { removed: 1 }, chunks: { total: 9, embedded: 0 } });
  });

  it("removes a document with a version of the caller's own, and takes it back at the same version", async () => {
    const at = (ids: readonly string[]): Source => ({
      identity: "test:own",
      async *read() {
        for (const id of ids)
          yield {
            kind: "document",
            id,
            title: null,
            format: "text",
            text: `Ferry ${id}`,
            metadata: {},
            version: 1_700_000_000n,
          };
      },
    });
    await reingest(await world.setup("own", at(["a", "b"])));
    expect((await reingest(await world.setup("own", at(["a"])))).intake).toMatchObject({ removed: 1 });
    const back = await reingest(await world.setup("own", at(["a", "b"])));
    expect(back).toMatchObject({ state: "ready", intake: { created: 1, superseded: 0 }, chunks: { total: 2 } });
  });

  it("removes a deleted document from every namespace of the base", async () => {
    const source = sourceOf("test:every", TEN);
    await reingest(await world.setup("every", source));
    const { "doc-0.txt": _gone, ...rest } = TEN;
    await reingest(await world.setup("every", sourceOf("test:every", rest), { profile: "two" }));
    const [one] = await world.store.namespaces.list("every");
    const reader = await world.store.namespaces.openReader(one!, one!.seal, { strict: true });
    expect(await reader.count()).toEqual({ documents: 9, chunks: 9 });
    expect(await reader.lag()).toBe(0);
  });

  it("keeps a base apart whose name ends like another one's namespace", async () => {
    await reingest(await world.setup("alike", sourceOf("test:alike", TEN)));
    await reingest(await world.setup("alike_one", sourceOf("test:alike-one", { "a.txt": "Ferry" })));
    expect(await world.store.documents.count("alike")).toEqual({ live: 10, deleted: 0 });
    expect(await world.store.documents.count("alike_one")).toEqual({ live: 1, deleted: 0 });
  });

  describe("damage in the database", () => {
    const tableOf = async (base: string) => `emb.ns_${(await world.store.namespaces.list(base))[0]!.id}`;
    const double = (table: string) => `UPDATE ${table} SET embedding = embedding + embedding WHERE document_id = $1`;
    const states = async (base: string) => (await world.store.runs.list({ base })).map(({ state }) => state);

    it("is found and repaired by the same call: only the damaged texts are embedded again", async () => {
      const source = sourceOf("test:damage", TEN);
      await reingest(await world.setup("damage", source));
      const table = await tableOf("damage");
      expect(await world.byHand(double(table), ["doc-3.txt"])).toBe(1);
      expect(await world.byHand(`UPDATE ${table} SET text = 'Ferries are free.' WHERE document_id = 'doc-4.txt'`)).toBe(
        1,
      );

      const runs: string[] = [];
      const onProgress = (progress: Progress) => void (progress.kind === "run" && runs.push(progress.runId));
      const report = await reingest(await world.setup("damage", source, { onProgress }));
      expect(report).toMatchObject({
        state: "ready",
        chunks: { total: 10, embedded: 2, skipped: 8, failed: 0 },
        verification: { ok: true, damaged: [] },
      });
      expect([...world.embedded()].toSorted()).toEqual([TEN["doc-3.txt"], TEN["doc-4.txt"]]);
      expect(await states("damage")).toEqual(["ready", "failed", "ready"]);
      expect(runs).toHaveLength(2);
      expect(report.runId).toBe(runs[1]);
      const [failed] = await world.store.runs.list({ base: "damage", states: ["failed"] });
      expect(failed?.reason).toBe(
        "texts: seen 1, want 0 rows that show another text than was embedded; norms: seen 1, want 0 vectors with |norm - 1| > 0.001",
      );
    });

    it("that comes back is repaired once and then reported", async () => {
      const source = sourceOf("test:again", TEN);
      await reingest(await world.setup("again", source));
      const table = await tableOf("again");
      // a trigger damages what is written, whoever writes it
      await world.byHand(
        `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.embedding := NEW.embedding + NEW.embedding; RETURN NEW; END $$`,
      );
      await world.byHand(`CREATE TRIGGER spoil BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION spoil()`);
      await world.byHand(double(table), ["doc-3.txt"]);

      const report = await reingest(await world.setup("again", source));
      expect(report).toMatchObject({ state: "failed", verification: { ok: false, damaged: ["doc-3.txt"] } });
      expect(await states("again")).toEqual(["failed", "failed", "ready"]);
      expect(world.embedded()).toEqual([TEN["doc-3.txt"]]);

      await world.byHand(`DROP TRIGGER spoil ON ${table}`);
      const repaired = await reingest(await world.setup("again", source));
      expect(repaired).toMatchObject({ state: "ready", chunks: { total: 10, embedded: 1 } });
    });
  });
});
