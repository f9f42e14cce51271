import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import type { Tokenizer } from "@emb/providers";
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
  });

  it("reaches for the whole corpus when it is exactly the plan's price", async () => {
    const setup = await world.setup("exact", sourceOf("test:exact", TEN), { maxCostUsd: costOfTen });
    const report = await reingest(setup);
    expect(report).toMatchObject({ state: "ready", chunks: { embedded: 10 }, spend: { tokens: tokensOfTen } });
    const { spend } = (await world.store.runs.get(report.runId))!;
    expect(spend).toMatchObject({ tokens: tokensOfTen, reserved: { tokens: 0, costUsd: 0 }, maxCostUsd: costOfTen });
    expect(spend.costUsd).toBeCloseTo(costOfTen, 12);
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
