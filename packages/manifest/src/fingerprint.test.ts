import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprint, spaceId } from "./fingerprint.js";
import { exampleProfile } from "./profile-example.js";
import type { Profile } from "./profile.js";

const base = exampleProfile();

describe("spaceId and fingerprint", () => {
  it("keep their values: another value here makes every seal of every user invalid", () => {
    expect(spaceId(base)).toBe("b6b55b13ff412c712a9149347ffe5c1ae82b762ac3bfdbc172520d6e7ffebc83");
    expect(fingerprint(base)).toBe("53904eb8106ca1ab6f88809104e61f78bf0cdd097208ecae0e38a8c2e2d72e2e");
  });

  const { capabilities, limits, tokenizer } = base;
  it.each<[string, Partial<Profile>]>([
    ["model_id", { modelId: "x" }],
    ["revision", { revision: "x" }],
    ["version", { version: "x" }],
    ["dims", { dims: 385 }],
    ["normalized_output", { capabilities: { ...capabilities, normalizedOutput: false } }],
    ["pooling", { pooling: "cls" }],
    ["no pooling", { pooling: null }],
    ["precision", { precision: "fp32" }],
    ["document task", { tasks: { query: null, document: "x" } }],
    ["query task", { tasks: { query: "x", document: null } }],
    ["document prompt", { prompts: { query: "", document: "x" } }],
    ["query prompt", { prompts: { query: "x", document: "" } }],
  ])("both change with the %s", (_, changes) => {
    const other = { ...base, ...changes };
    expect([spaceId(other) === spaceId(base), fingerprint(other) === fingerprint(base)]).toEqual([false, false]);
  });

  it.each<[string, Partial<Profile>]>([
    ["provider", { provider: "tei" }],
    ["similarity", { similarity: "dot" }],
    ["storage", { storage: "halfvec" }],
    ["tokenizer backend", { tokenizer: { ...tokenizer, backend: "x" } }],
    ["tokenizer model", { tokenizer: { ...tokenizer, modelId: "x" } }],
    ["max_input_tokens", { limits: { ...limits, maxInputTokens: 257 } }],
  ])("only the fingerprint changes with the %s", (_, changes) => {
    const other = { ...base, ...changes };
    expect([spaceId(other) === spaceId(base), fingerprint(other) === fingerprint(base)]).toEqual([true, false]);
  });

  it("tell a query task from a document task, and a task from a prompt", () => {
    const ids = [
      { tasks: { query: "x", document: null } },
      { tasks: { query: null, document: "x" } },
      { prompts: { query: "x", document: "" } },
      { prompts: { query: "", document: "x" } },
    ].map((changes) => spaceId({ ...base, ...changes }));
    expect(new Set(ids).size).toBe(4);
  });

  it("depend on nothing else", () => {
    const elsewhere = fc.record({
      name: fc.string(),
      description: fc.string(),
      task: fc.option(fc.string()),
      requirements: fc.array(fc.string()),
      serviceUrl: fc.option(fc.webUrl()),
      pricePerMillionTokens: fc.option(fc.nat()),
      sunset: fc.option(fc.constant("2027-01-31")),
      capabilities: fc.record({
        supportsDense: fc.boolean(),
        supportsSparse: fc.boolean(),
        supportsColbert: fc.boolean(),
        supportsLongSequences: fc.boolean(),
        normalizedOutput: fc.constant(capabilities.normalizedOutput),
        multilingual: fc.boolean(),
      }),
      limits: fc.record({
        maxInputTokens: fc.constant(limits.maxInputTokens),
        maxBatchItems: fc.nat(),
        maxBatchTokens: fc.option(fc.nat()),
        requestsPerMinute: fc.option(fc.nat()),
        tokensPerMinute: fc.option(fc.nat()),
      }),
    });
    fc.assert(
      fc.property(elsewhere, (changes) => {
        const other: Profile = { ...base, ...changes };
        expect([spaceId(other), fingerprint(other)]).toEqual([spaceId(base), fingerprint(base)]);
      }),
    );
  });
});
