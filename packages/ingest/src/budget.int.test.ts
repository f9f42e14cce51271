import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import type { Tokenizer } from "@emb/providers";
import { documentHash } from "./content-hash.js";
import { planReingest } from "./plan-reingest.js";
import { reingest } from "./reingest.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

/** Cannot count: thinks little of a text, and knows only that it is not longer than its bytes. */
const GUESSING: Tokenizer = {
  countTokens: (text) => ({ tokens: Buffer.byteLength(text) + 2, exact: false, estimate: 1 }),
};

describe("what a run may cost", { timeout: 120_000 }, () => {
  let world: SmallWorld;
  let tokensOfTen = 0;
  let costOfTen = 0;
  beforeAll(async () => {
    world = await openSmallWorld();
    const plan = await planReingest(await world.setup("whole", sourceOf("test:whole", TEN)));
    tokensOfTen = plan.tokens;
    costOfTen = plan.costUsd!;
  }, 60_000);
  afterAll(() => world.close());

  it("is refused when the plan is over the limit, before anything is made or embedded", async () => {
    const setup = await world.setup("low", sourceOf("test:low", TEN), { maxCostUsd: costOfTen * 0.99 });
    await expect(reingest(setup)).rejects.toMatchObject({ code: "EMB_BUDGET_TOO_LOW" });
    expect(world.embedded()).toEqual([]);
    expect(await world.store.namespaces.list("low")).toEqual([]);
  });

  it("is refused as a limit when the price is not known", async () => {
    const setup = await world.setup("dear", sourceOf("test:dear", TEN), { maxCostUsd: 100 });
    const profile = { ...setup.provider.profile, pricePerMillionTokens: null };
    await expect(reingest({ ...setup, provider: { ...setup.provider, profile } })).rejects.toMatchObject({
      code: "EMB_PRICE_UNKNOWN",
    });
    expect(world.embedded()).toEqual([]);
    expect(await world.store.namespaces.list("dear")).toEqual([]);
  });

  it("reaches for the whole corpus when it is exactly the plan's price", async () => {
    const setup = await world.setup("exact", sourceOf("test:exact", TEN), { maxCostUsd: costOfTen });
    const report = await reingest(setup);
    expect(report).toMatchObject({ state: "ready", chunks: { embedded: 10 }, spend: { tokens: tokensOfTen } });
    const { spend } = (await world.store.runs.get(report.runId))!;
    expect(spend).toMatchObject({ tokens: tokensOfTen, reserved: { tokens: 0, costUsd: 0 }, maxCostUsd: costOfTen });
    expect(spend.costUsd).toBeCloseTo(costOfTen, 12);
    const started = await world.store.audit.list({ limit: 1, action: "run.started" });
    expect(started[0]!.detail).toMatchObject({ run_id: report.runId, max_cost_usd: costOfTen });

    // a run that has ended is no part of the next one's limit
    const changed = sourceOf("test:exact", { ...TEN, "doc-1.txt": "Ferry one is new." });
    const next = await reingest(await world.setup("exact", changed, { maxCostUsd: costOfTen * 0.5 }));
    expect(next).toMatchObject({ state: "ready", resumed: false, chunks: { embedded: 1 } });
  });

  it("reaches for every text that it pays for, to the last", async () => {
    const real = (await world.setup("reach", sourceOf("test:reach", TEN))).tokenizer;
    const tokenizer: Tokenizer = { countTokens: (text) => ({ ...real.countTokens(text), exact: false, estimate: 1 }) };
    const maxCostUsd = costOfTen * 0.7; // every text has as many tokens as the others
    const setup = await world.setup("reach", sourceOf("test:reach", TEN), { maxCostUsd, tokenizer });
    await expect(reingest(setup)).rejects.toMatchObject({ code: "EMB_BUDGET_REACHED" });
    expect(world.embedded()).toHaveLength(7);
    const [paused] = await world.store.runs.list({ base: "reach" });
    expect(paused).toMatchObject({ state: "paused", counters: { embedded: 7 }, spend: { reserved: { tokens: 0 } } });
    expect(paused!.spend.costUsd).toBeCloseTo(maxCostUsd, 12);
  });

  it("pauses the run before it passes the limit, and a higher one goes on without embedding twice", async () => {
    const limit = costOfTen * 0.8;
    const source = sourceOf("test:pause", TEN);
    const first = await world.setup("pause", source, { maxCostUsd: limit, tokenizer: GUESSING });
    await expect(reingest(first)).rejects.toMatchObject({ code: "EMB_BUDGET_REACHED", exitCode: 1 });
    const paid = world.embedded().length;
    expect(paid).toBeGreaterThanOrEqual(5);
    expect(paid).toBeLessThan(10);
    const [paused] = await world.store.runs.list({ base: "pause" });
    expect(paused).toMatchObject({ state: "paused", counters: { embedded: paid } });
    expect(paused!.reason).toContain("does not reach for the next text");
    expect(paused!.spend.costUsd).toBeLessThanOrEqual(limit);
    expect(paused!.spend.reserved.tokens).toBe(0);
    expect((await world.store.audit.list({ limit: 1 }))[0]).toMatchObject({
      action: "run.paused",
      detail: { run_id: paused!.id },
    });

    // the limit stays with its run
    await expect(reingest(await world.setup("pause", source, { tokenizer: GUESSING }))).rejects.toMatchObject({
      code: "EMB_BUDGET_REACHED",
    });
    expect(world.embedded()).toEqual([]);

    // it counts from the run's start: what it has spent and what is left are over this one
    await expect(reingest(await world.setup("pause", source, { maxCostUsd: costOfTen * 0.9 }))).rejects.toMatchObject({
      code: "EMB_BUDGET_TOO_LOW",
      message: expect.stringContaining("that the run has spent"),
    });
    expect((await world.store.runs.get(paused!.id))?.state).toBe("paused");

    const report = await reingest(
      await world.setup("pause", source, { maxCostUsd: costOfTen * 3, tokenizer: GUESSING }),
    );
    expect(report).toMatchObject({
      runId: paused!.id,
      state: "ready",
      resumed: true,
      chunks: { total: 10, embedded: 10 },
      spend: { tokens: tokensOfTen },
    });
    expect(world.embedded()).toHaveLength(10 - paid);
  });

  it("counts only what its own run spent: not one of another base, nor one that it replaces", async () => {
    const source = sourceOf("test:shared", TEN);
    const limit = costOfTen * 0.7;
    const stopped = await world.setup("shared", source, { maxCostUsd: limit, tokenizer: GUESSING });
    await expect(reingest(stopped)).rejects.toMatchObject({ code: "EMB_BUDGET_REACHED" });
    const { spend, counters } = (await world.store.runs.list({ base: "shared" }))[0]!;
    expect(spend.costUsd).toBeGreaterThan(costOfTen * 0.35);

    const elsewhere = await world.setup("shared-elsewhere", source, { maxCostUsd: costOfTen });
    expect((await reingest(elsewhere)).chunks.embedded).toBe(10);
    const other = await world.setup("shared", sourceOf("test:shared-other", TEN), { maxCostUsd: limit });
    expect(await reingest(other)).toMatchObject({
      state: "ready",
      resumed: false,
      chunks: { embedded: 10 - counters.embedded },
    });
  });

  it("is the whole call's: a repair has what the first run left of it, and the report adds both up", async () => {
    const source = sourceOf("test:repair", TEN);
    const t = tokensOfTen / 10;
    /** One text changed and another damaged in the database, so that a first run embeds one, and the repair the other. */
    const damage = async (changed: string) => {
      const [record] = await world.store.namespaces.list("repair");
      const double = `UPDATE emb.ns_${record!.id} SET embedding = embedding + embedding WHERE document_id = 'doc-3.txt'`;
      expect(await world.byHand(double)).toBe(1);
      return sourceOf("test:repair", { ...TEN, "doc-1.txt": changed });
    };
    expect((await reingest(await world.setup("repair", source))).state).toBe("ready");
    const both = await reingest(await world.setup("repair", await damage("Ferry number 1 leaves at 2 o'clock.")));
    expect(both).toMatchObject({ state: "ready", spend: { tokens: 2 * t } });

    const short = await damage("Ferry number 1 leaves at 3 o'clock.");
    const limited = await world.setup("repair", short, { maxCostUsd: costOfTen * 0.15 });
    await expect(reingest(limited)).rejects.toMatchObject({ code: "EMB_BUDGET_REACHED" });
    const [repair, first] = await world.store.runs.list({ base: "repair" });
    expect(first).toMatchObject({ state: "failed", spend: { tokens: t } });
    expect(repair).toMatchObject({ state: "paused", spend: { tokens: 0 } });
    expect(repair!.spend.maxCostUsd).toBeCloseTo(costOfTen * 0.05, 12);
  });

  it("holds for a change that comes while it fills", async () => {
    const late = { title: null, format: "text" as const, text: "Ferry number 10 leaves late.", metadata: {} };
    let put: Promise<unknown> | undefined;
    const setup = await world.setup("late", sourceOf("test:late", TEN), {
      maxCostUsd: costOfTen,
      commitRows: 1,
      // before the first shard in order, which is done by then: only the queue brings it
      onProgress(now) {
        if (now.kind === "fill" && now.documents >= 4) put ??= putLate();
      },
    });
    const putLate = async () => {
      const version = await world.store.documents.nextVersion();
      const document = { id: "a-late.txt", ...late, version, contentHash: documentHash(late) };
      await world.store.documents.put({ base: "late", source: "put", document });
    };
    await expect(reingest(setup)).rejects.toMatchObject({ code: "EMB_BUDGET_REACHED" });
    await put;
    expect(world.embedded()).toHaveLength(10);
    const [paused] = await world.store.runs.list({ base: "late" });
    expect(paused).toMatchObject({ state: "paused", shards: { total: 4, done: 4 } });
  });

  it("counts what was embedded and lost when a run breaks off", async () => {
    const source = sourceOf("test:lost", TEN);
    const refuse = (text: string) => {
      if (text.includes("number 1")) return new EmbError("EMB_PROVIDER_REJECTED", "bad", { hint: "-" });
      if (text.includes("number 2")) return new EmbError("EMB_PROVIDER_UNAVAILABLE", "away", { hint: "-" });
      return null;
    };
    await expect(reingest(await world.setup("lost", source, { refuse }))).rejects.toThrow("away");
    expect(world.embedded()).toHaveLength(1); // number 0, answered before the service went away
    const [broken] = await world.store.runs.list({ base: "lost" });
    const lost = broken!.spend.tokens;
    expect(broken).toMatchObject({ state: "fill", counters: { tokens: 0, embedded: 0 } });
    expect(lost).toBeGreaterThan(5);
    expect(broken!.spend.costUsd).toBeCloseTo((lost / 1e6) * 2, 12);
    const report = await reingest(await world.setup("lost", source));
    expect(report.spend.tokens).toBe(tokensOfTen + lost);
  });
});
