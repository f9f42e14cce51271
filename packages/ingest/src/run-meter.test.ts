import { describe, expect, it } from "vitest";
import type { EmbeddingProvider } from "@emb/providers";
import { checkBudget, createRunMeter } from "./run-meter.js";
import { smallWorldProfile } from "./small-world-manifest.fixture.js";
import { runOf } from "./store-records.test-data.js";
import { createPlainTokenizer } from "./testing/plain-tokenizer.js";

const check = (budget: Partial<Parameters<typeof checkBudget>[0]>) => () =>
  checkBudget({ profile: "one", maxCostUsd: 1, planUsd: 1, exact: true, spentUsd: 0, ...budget });

describe("a limit on what a run may cost", () => {
  it.each([
    ["the plan's price to the last digit, summed in parts", { planUsd: 0.1 + 0.2, maxCostUsd: 0.3 }],
    ["what was spent and what is left", { planUsd: 0.4, spentUsd: 0.6 }],
    ["nothing, for a plan that costs nothing", { planUsd: 0, maxCostUsd: 0 }],
  ])("may be %s", (_, budget) => {
    expect(check(budget)).not.toThrow();
  });

  it.each([
    [
      "a little less than the plan",
      { planUsd: 1.000_01 },
      "the plan costs 1.00001 USD, which is over the limit of 1 USD",
      "Give --max-cost-usd 1 or more; emb plan shows what it is for.",
    ],
    [
      "less than what the run spent before and the plan, by estimate",
      { planUsd: 0.5, spentUsd: 0.6, exact: false },
      "the plan costs about 0.5 USD after 0.6 USD that the run has spent, which is over the limit of 1 USD",
      "Give --max-cost-usd 1.32 or more; emb plan shows what it is for.",
    ],
  ])("is refused when it is %s", (_, budget, message, hint) => {
    expect(check(budget)).toThrow(expect.objectContaining({ code: "EMB_BUDGET_TOO_LOW", message, hint }));
  });

  it("is refused where there is no price, at the plan and for a run that has it already", () => {
    const unknown = expect.objectContaining({ code: "EMB_PRICE_UNKNOWN" });
    expect(check({ planUsd: null })).toThrow(unknown);
    const never = () => Promise.reject(new Error("the model was asked"));
    const profile = { ...smallWorldProfile("one", "meter"), pricePerMillionTokens: null };
    const provider: EmbeddingProvider = { profile, embedQueries: never, embedDocuments: never, close: async () => {} };
    const meterOf = (maxCostUsd: number | null) => () =>
      createRunMeter({
        runs: { reserveSpend: never, settleSpend: never },
        run: runOf({ spend: { ...runOf().spend, maxCostUsd } }),
        provider,
        tokenizer: createPlainTokenizer(),
      });
    expect(meterOf(1)).toThrow(unknown);
    expect(meterOf(null)).not.toThrow();
  });
});
