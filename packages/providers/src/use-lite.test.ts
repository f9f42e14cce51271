import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProvider, createTokenizer } from "./factory.js";
import { useLiteProfile } from "./profile.test-data.js";
import type { EmbeddingProvider } from "./provider.js";
import { providerContract, type ProviderFixtures } from "./testing/provider-contract.js";
import { tokenizerContract } from "./testing/tokenizer-contract.js";

const MODEL_TIMEOUT_MS = 60_000;
const live = { signal: new AbortController().signal };
const options = { env: {}, dataDir: "/nowhere" }; // it writes nothing

// A low limit keeps the longest texts of the contract cheap.
const profile = useLiteProfile({ limits: { maxInputTokens: 40, maxBatchItems: 16 } });
const texts = ["The cat sat on the mat.", "Bread", "Ships leave the harbour at dawn, when the tide is high.", "Why?"];
const atLimit = Array.from({ length: 40 }, () => "the").join(" ");
const fixtures: ProviderFixtures = {
  texts,
  atLimit,
  tooLong: `${atLimit} the`,
  open: () => createProvider(profile, options),
};

let provider: EmbeddingProvider;
beforeAll(async () => {
  provider = await createProvider(profile, options);
}, MODEL_TIMEOUT_MS);
afterAll(() => provider.close());

describe("Universal Sentence Encoder lite", { timeout: MODEL_TIMEOUT_MS }, () => {
  it.each(Object.entries(providerContract))("%s", (_, check) => check(provider, fixtures));

  it.each(Object.entries(tokenizerContract))("its tokenizer %s", async (_, check) => {
    await check(await createTokenizer(profile, options), { provider, ...fixtures });
  });

  it("finds the answer of each question", async () => {
    const questions = ["How old are you?", "What is the weather like?", "How do I bake bread?"];
    const answers = ["I am thirty years of age.", "It is raining and windy outside.", "Mix flour, water and yeast."];
    const asked = await provider.embedQueries(questions, live);
    const found = await provider.embedDocuments(answers, live);
    const best = questions.map((_, q) => {
      const scores = answers.map((__, a) => dot(asked.dense, q, found.dense, a));
      return scores.indexOf(Math.max(...scores));
    });
    expect(best).toEqual([0, 1, 2]);
  });

  it("leaves the calling thread free while it computes", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    await provider.embedDocuments(
      Array.from({ length: 16 }, (_, i) => `${texts[2]} ${i}`),
      live,
    );
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });

  it.each([
    ["another model", useLiteProfile({ modelId: "universal-sentence-encoder-large" })],
    ["other dims", useLiteProfile({ dims: 384 })],
  ])("refuses a profile with %s", async (_, wrong) => {
    await expect(createProvider(wrong, options)).rejects.toMatchObject({ code: "EMB_MANIFEST_INVALID" });
  });
});

const dot = (a: Float32Array, rowA: number, b: Float32Array, rowB: number): number => {
  let sum = 0;
  for (let d = 0; d < 512; d++) sum += a[rowA * 512 + d]! * b[rowB * 512 + d]!;
  return sum;
};
