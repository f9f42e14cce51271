import { describe, expect, it } from "vitest";
import { profileOf } from "../profile.test-data.js";
import type { EmbeddingProvider } from "../provider.js";
import { exactly, type TokenCount, type Tokenizer } from "../tokenizer.js";
import { tokenizerContract, type TokenizerFixtures } from "./tokenizer-contract.js";

const words = (text: string) => text.trim().split(/\s+/).length;
const bound = (tokens: number, estimate: number): TokenCount => ({ tokens, exact: false, estimate });

const profile = profileOf({ dims: 1, limits: { maxInputTokens: 5 } });
const embed: EmbeddingProvider["embedDocuments"] = async (texts) => ({
  dense: new Float32Array(texts.length),
  count: texts.length,
  dims: 1,
  tokens: texts.reduce((sum, text) => sum + words(text), 0),
});
const fixtures: TokenizerFixtures = {
  provider: { profile, embedDocuments: embed, embedQueries: embed, close: () => Promise.resolve() },
  texts: ["one", "one two three"],
  atLimit: "a b c d e",
  tooLong: "a b c d e f",
};

let counted = 0;
function quadratic(text: string): TokenCount {
  let work = 0;
  for (let i = 0; i < text.length; i++) for (let j = 0; j < text.length; j++) work += (i ^ j) & 1;
  return exactly(words(text) + work * 0);
}

const BROKEN: Record<keyof typeof tokenizerContract, Tokenizer["countTokens"]> = {
  "counts whole tokens": (text) => exactly(text.length / 4),
  "estimates at most what it bounds, and what it counts when exact": (text) => bound(words(text), words(text) + 1),
  "counts the same each time": () => exactly(++counted),
  "counts what the provider counts, or more when not exact": (text) => bound(words(text) - 1, 1),
  "lets nothing over the limit pass for shorter": (text) => exactly(Math.min(words(text), 5)),
  "counts a text of exactly the limit as that, when exact": (text) => exactly(words(text) + 1),
  "takes time in proportion to the length": quadratic,
};

describe("tokenizer contract", () => {
  it.each(Object.entries(tokenizerContract))("an exact tokenizer passes: %s", async (_, check) => {
    await check({ countTokens: (text) => exactly(words(text)) }, fixtures);
  });

  it.each(Object.entries(tokenizerContract))("an upper bound passes: %s", async (_, check) => {
    await check({ countTokens: (text) => bound(words(text) + 2, words(text)) }, fixtures);
  });

  it.each(Object.entries(BROKEN))(
    "catches a tokenizer that breaks: %s",
    async (name, countTokens) => {
      const check = Object.entries(tokenizerContract).find(([title]) => title === name)?.[1];
      await expect(check?.({ countTokens }, fixtures)).rejects.toThrow();
    },
    30_000,
  );

  it("has a broken tokenizer for every check", () => {
    expect(Object.keys(BROKEN)).toEqual(Object.keys(tokenizerContract));
  });
});
