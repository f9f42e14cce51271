import { describe, expect, it } from "vitest";
import { profileOf } from "./profile.test-data.js";
import type { EmbeddingProvider, Embeddings } from "./provider.js";
import { withResponseChecks } from "./call-guard.js";

const live = { signal: new AbortController().signal };
const good: Embeddings = { dense: Float32Array.of(1, 0, 0, 1), count: 2, dims: 2, tokens: 4 };

function providerOf(answer: Embeddings, normalizedOutput = true) {
  const asked: string[] = [];
  const { capabilities } = profileOf();
  const embed = async (texts: readonly string[]) => {
    asked.push(...texts);
    return answer;
  };
  const inner: EmbeddingProvider = {
    profile: profileOf({ dims: 2, capabilities: { ...capabilities, normalizedOutput } }),
    embedDocuments: embed,
    embedQueries: embed,
    close: async () => void asked.push("closed"),
  };
  return { provider: withResponseChecks(inner), asked };
}

describe("response checks", () => {
  it("let a good answer through", async () => {
    expect(await providerOf(good).provider.embedDocuments(["a", "b"], live)).toBe(good);
  });

  it.each<[string, Embeddings]>([
    ["1 vectors for 2 texts", { ...good, count: 1 }],
    ["vectors of 1 dims, the profile says 2", { ...good, dims: 1 }],
    ["3 numbers, 2 x 2 expected", { ...good, dense: Float32Array.of(1, 0, 0) }],
    ["vector 1 holds a number that is not finite", { ...good, dense: Float32Array.of(1, 0, NaN, 1) }],
    ["vector 0 holds a number that is not finite", { ...good, dense: Float32Array.of(-Infinity, 0, 0, 1) }],
    ["vector 1 has norm 1.0020, 1 expected", { ...good, dense: Float32Array.of(1, 0, 0, 1.002) }],
    ["vector 0 has norm 0.5000, 1 expected", { ...good, dense: Float32Array.of(0.5, 0, 0, 1) }],
    ["vector 0 is all zeros", { ...good, dense: Float32Array.of(0, 0, 0, 1) }],
  ])("refuse %s", async (what, answer) => {
    for (const side of ["embedDocuments", "embedQueries"] as const) {
      await expect(providerOf(answer).provider[side](["a", "b"], live)).rejects.toMatchObject({
        code: "EMB_PROVIDER_RESPONSE_INVALID",
        message: `Provider "sentence-transformers" answered with ${what}.`,
      });
    }
  });

  it("let any norm through when the profile promises none, and a norm within 1e-3 of 1 otherwise", async () => {
    const long = { ...good, dense: Float32Array.of(3, 4, 0, 1) };
    expect(await providerOf(long, false).provider.embedDocuments(["a", "b"], live)).toBe(long);
    const near = { ...good, dense: Float32Array.of(1.0009, 0, 0, 0.9991) };
    expect(await providerOf(near).provider.embedDocuments(["a", "b"], live)).toBe(near);
  });

  it("take a large finite number for finite", async () => {
    const large = { ...good, dense: Float32Array.of(3e38, 3e38, 0, 1) };
    expect(await providerOf(large, false).provider.embedDocuments(["a", "b"], live)).toBe(large);
  });

  it("keep blank texts, empty lists and aborted calls from the provider", async () => {
    const { provider, asked } = providerOf(good);
    await expect(provider.embedDocuments(["a", " "], live)).rejects.toMatchObject({ code: "EMB_TEXT_EMPTY" });
    await expect(provider.embedDocuments(["a"], { signal: AbortSignal.abort("stop") })).rejects.toBe("stop");
    expect(await provider.embedQueries([], live)).toMatchObject({ count: 0, dims: 2 });
    expect(asked).toEqual([]);
  });

  it("close once, after the calls in flight", async () => {
    const { provider, asked } = providerOf(good);
    const call = provider.embedDocuments(["a", "b"], live).then(() => asked.push("answered"));
    await Promise.all([call, provider.close(), provider.close()]);
    expect(asked).toEqual(["a", "b", "answered", "closed"]);
    await expect(provider.embedDocuments(["a"], live)).rejects.toMatchObject({ code: "EMB_PROVIDER_UNAVAILABLE" });
  });
});
