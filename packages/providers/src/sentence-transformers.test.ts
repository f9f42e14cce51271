import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProvider, createTokenizer } from "./factory.js";
import { profileOf } from "./profile.test-data.js";
import type { EmbeddingProvider } from "./provider.js";
import { providerContract, type ProviderFixtures } from "./testing/provider-contract.js";
import { tokenizerContract } from "./testing/tokenizer-contract.js";

const MODEL_TIMEOUT_MS = 60_000;
const live = { signal: new AbortController().signal };
const fp32Profile = profileOf({ name: "st_minilm_fp32", precision: "fp32" });

let dataDir = "";
const warnings: string[] = [];
const options = () => ({ env: {}, dataDir, onWarning: (message: string) => warnings.push(message) });

const texts = [
  "How do I rotate the credentials of a service account?",
  "Bread.",
  "The ferry to the northern islands leaves twice a day in summer and once a week when the sea is frozen over.",
  "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
  "git rebase --interactive HEAD~3",
];
/** [CLS] + 254 words of one token each + [SEP]. */
const atLimit = Array.from({ length: 254 }, () => "word").join(" ");
const fixturesOf = (profile: ReturnType<typeof profileOf>): ProviderFixtures => ({
  texts,
  atLimit,
  tooLong: `${atLimit} word`,
  open: () => createProvider(profile, options()),
});

let int8: EmbeddingProvider;
let fp32: EmbeddingProvider;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "emb-st-"));
  int8 = await createProvider(profileOf(), options());
  fp32 = await createProvider(fp32Profile, options());
}, MODEL_TIMEOUT_MS);
afterAll(async () => {
  await Promise.all([int8.close(), fp32.close()]);
  await rm(dataDir, { recursive: true });
});

describe("all-MiniLM-L6-v2 keeps the provider contract", { timeout: MODEL_TIMEOUT_MS }, () => {
  it.each(Object.entries(providerContract))("int8: %s", (_, check) => check(int8, fixturesOf(profileOf())));
  it.each(Object.entries(providerContract))("fp32: %s", (_, check) => check(fp32, fixturesOf(fp32Profile)));

  it("tells queries from documents when the profile has a prompt for one side", async () => {
    const profile = profileOf({ prompts: { query: "query: ", document: "" } });
    const provider = await createProvider(profile, options());
    await providerContract["tells queries from documents exactly when the profile does"](provider, fixturesOf(profile));
    await provider.close();
  });
});

describe("the tokenizer of all-MiniLM-L6-v2", { timeout: MODEL_TIMEOUT_MS }, () => {
  it.each(Object.entries(tokenizerContract))("%s", async (_, check) => {
    const tokenizer = await createTokenizer(profileOf(), options());
    await check(tokenizer, { provider: int8, texts, atLimit, tooLong: `${atLimit} word` });
  });

  it.each([
    ["", 2],
    ["word", 3],
    ["Word  word\n\nword", 5],
    ["tokenization", 4], // token ##ization
    ["a.b-c", 7],
    ["naïve café", 4],
    ["漢字", 4], // every CJK character is a word
    ["[SEP]", 3],
    ["\u200b", 2], // dropped
    ["x".repeat(101), 3], // [UNK]
  ])("counts %j as %i", async (text, tokens) => {
    const tokenizer = await createTokenizer(profileOf(), options());
    expect(tokenizer.countTokens(text)).toEqual({ tokens, exact: true, estimate: tokens });
  });

  it("counts the document prompt", async () => {
    const tokenizer = await createTokenizer(profileOf({ prompts: { query: "", document: "passage: " } }), options());
    expect(tokenizer.countTokens("word").tokens).toBe(5);
  });
});

describe("the vectors of all-MiniLM-L6-v2", { timeout: MODEL_TIMEOUT_MS }, () => {
  const pairs = [
    ["How can I reset my password?", "Steps to recover access to your account when you forgot the password."],
    ["What do cats eat?", "A cat's diet is meat: fish, poultry and mice."],
    ["capital city of France", "Paris is where the French government sits."],
    ["fix a flat bicycle tyre", "Take the wheel off and patch the inner tube."],
    ["why is the sky blue", "Air scatters short wavelengths of sunlight the most."],
    ["symptoms of a cold", "Sneezing, a sore throat and a runny nose."],
  ] as const;
  const questions = pairs.map(([question]) => question);
  const answers = pairs.map(([, answer]) => answer);

  it.each([
    ["int8", () => int8],
    ["fp32", () => fp32],
  ] as const)("%s finds the answer of each question", async (_, provider) => {
    const asked = await provider().embedQueries(questions, live);
    const found = await provider().embedDocuments(answers, live);
    const best = questions.map((__, q) => {
      const scores = answers.map((___, a) => cosine(asked.dense, q, found.dense, a));
      return scores.indexOf(Math.max(...scores));
    });
    expect(best).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("int8 is within cosine 0.99 of fp32", async () => {
    const sentences = [...texts, ...questions, ...answers];
    const a = await int8.embedDocuments(sentences, live);
    const b = await fp32.embedDocuments(sentences, live);
    const cosines = sentences.map((_, i) => cosine(a.dense, i, b.dense, i));
    expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.99);
    expect(Math.max(...cosines)).toBeLessThan(0.99999); // or int8 is not int8
  });

  it("fp32 gives the published model's own numbers", async () => {
    // Source: model card of sentence-transformers/all-MiniLM-L6-v2, widget example, similarity of its first pair.
    const { dense } = await fp32.embedDocuments(["That is a happy person", "That is a very happy person"], live);
    expect(cosine(dense, 0, dense, 1)).toBeCloseTo(0.943, 2);
  });
});

describe("a call of many texts", { timeout: MODEL_TIMEOUT_MS }, () => {
  it("gives each of 1,200 texts its own vector, in order", async () => {
    const many = Array.from({ length: 1_200 }, (_, i) => `item ${i} ${"long ".repeat(i % 7)}`);
    const answer = await int8.embedDocuments(many, live);
    const picked = [0, 1, 599, 600, 1_198, 1_199];
    for (const index of picked) {
      const alone = await int8.embedDocuments([many[index]!], live);
      expect(cosine(answer.dense, index, alone.dense, 0)).toBeGreaterThan(0.99999);
    }
  });

  it("refuses a text of which the model reads nothing", async () => {
    await expect(int8.embedDocuments(["fine", "\u200b\u200b"], live)).rejects.toMatchObject({
      code: "EMB_TEXT_EMPTY",
      context: { index: 1 },
    });
  });
});

const modelPath = () => join(dataDir, "models", "all-MiniLM-L6-v2-int8-g1.onnx");
const reopen = async () => {
  const provider = await createProvider(profileOf(), options());
  const answer = await provider.embedDocuments(texts, live);
  await provider.close();
  return answer.dense;
};

describe("the model file", { timeout: MODEL_TIMEOUT_MS }, () => {
  let before: Float32Array;
  beforeAll(async () => {
    before = (await int8.embedDocuments(texts, live)).dense;
  });

  it("is rebuilt with a warning when cut off", async () => {
    await truncate(modelPath(), 1_000_000);
    warnings.length = 0;
    expect(await reopen()).toEqual(before);
    expect(warnings).toEqual([`The model file ${modelPath()} does not match its SHA-256; it is built again.`]);
  });

  it("is rebuilt when one byte of a weight changed", async () => {
    const bytes = await readFile(modelPath());
    bytes[20_000_000]! ^= 1;
    await writeFile(modelPath(), bytes);
    warnings.length = 0;
    expect(await reopen()).toEqual(before);
    expect(warnings).toHaveLength(1);
  });

  it("is rebuilt in silence when its hash was never written", async () => {
    await rm(`${modelPath()}.sha256`);
    warnings.length = 0;
    expect(await reopen()).toEqual(before);
    expect(warnings).toEqual([]);
  });

  it("may be built by two at once, and leaves no temporary files", async () => {
    await rm(modelPath());
    const [a, b] = await Promise.all([reopen(), reopen()]);
    expect(a).toEqual(before);
    expect(b).toEqual(before);
    expect((await readdir(join(dataDir, "models"))).toSorted()).toEqual([
      "all-MiniLM-L6-v2-fp32-g1.onnx",
      "all-MiniLM-L6-v2-fp32-g1.onnx.sha256",
      "all-MiniLM-L6-v2-int8-g1.onnx",
      "all-MiniLM-L6-v2-int8-g1.onnx.sha256",
    ]);
  });

  it("that cannot be written says where and what to do", async () => {
    const notADirectory = join(dataDir, "file");
    await writeFile(notADirectory, "");
    await expect(createProvider(profileOf(), { env: {}, dataDir: notADirectory })).rejects.toMatchObject({
      code: "EMB_MODEL_UNAVAILABLE",
    });
  });
});

function cosine(a: Float32Array, rowA: number, b: Float32Array, rowB: number): number {
  let sum = 0;
  for (let d = 0; d < 384; d++) sum += a[rowA * 384 + d]! * b[rowB * 384 + d]!;
  return sum;
}
