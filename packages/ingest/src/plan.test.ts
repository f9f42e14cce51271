import { describe, expect, it } from "vitest";
import { parseManifest, type Profile } from "@emb/manifest";
import type { Run } from "@emb/store";
import { decidePlan, type PlanCounts } from "./plan.js";
import { runOf } from "./store-records.test-data.js";

const profileWith = (more: string): Profile => {
  const reading = parseManifest(
    `profiles:
  hosted:
    provider: openai-compatible
    model_id: some/model
    dims: 1024
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: []
    ${more}
`,
    { file: "manifest.yaml" },
  );
  if (!reading.ok) throw new Error(reading.problems[0]?.message);
  return reading.manifest.profiles.get("hosted")!;
};

const COUNTS: PlanCounts = {
  documents: 900,
  removed: 0,
  setAside: 0,
  chunks: { total: 1500, toEmbed: 1000, unchanged: 500 },
  tokens: 200_000,
  tokensExact: false,
  textBytes: 700_000,
};

const ran = (embedded: number, seconds: number): Run =>
  runOf({
    profile: "hosted",
    updatedAt: new Date(seconds * 1000),
    counters: { documents: embedded, chunks: embedded, embedded, skipped: 0, failed: 0, tokens: embedded },
  });

const planOf = (more: string, formerRuns: readonly Run[] = []) =>
  decidePlan({ counts: COUNTS, namespace: "docs_hosted", exists: false, profile: profileWith(more), formerRuns });

describe("a plan", () => {
  it.each([
    ["", null],
    ["price_per_million_tokens: 0", 0],
    ["price_per_million_tokens: 0.5", 0.1],
  ])("with %j costs %j", (written, costUsd) => {
    expect(planOf(written).costUsd).toBe(costUsd);
  });

  it("does not know the time before a run embedded something", () => {
    expect(planOf("").seconds).toBeNull();
    expect(planOf("", [ran(0, 10)]).seconds).toBeNull();
  });

  it("takes the rate of the fastest run", () => {
    expect(planOf("", [ran(100, 1000), ran(500, 10), ran(1, 10)]).seconds).toBe(20);
  });

  it.each([
    ["limits: { tokens_per_minute: 50000 }", 180],
    ["limits: { requests_per_minute: 5, max_batch_items: 50 }", 180],
    ["limits: { requests_per_minute: 1000, max_batch_items: 50 }", 0],
    ["limits: { requests_per_minute: 1 }", 0],
  ])("is not faster than %j", (written, seconds) => {
    expect(planOf(written).secondsAtLeast).toBe(seconds);
    expect(planOf(written, [ran(1000, 1)]).seconds).toBe(Math.max(seconds, 1));
  });

  it.each([
    ["storage: vector", 1500 * 1024 * 4],
    ["storage: halfvec", 1500 * 1024 * 2],
  ])("with %s counts the bytes of every vector", (written, vectors) => {
    expect(planOf(written).bytes).toEqual({ vectors, text: 700_000 });
  });
});
