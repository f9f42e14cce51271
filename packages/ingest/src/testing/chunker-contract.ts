import assert from "node:assert/strict";
import type { Chunker, TextChunk } from "../chunker.js";
import { createPlainTokenizer } from "./plain-tokenizer.js";

export type CreateChunker = (options: { maxTokens: number; countTokens: (text: string) => number }) => Chunker;

type ChunkerDocument = Parameters<Chunker["chunk"]>[0];

const tokenizer = createPlainTokenizer();
const countTokens = (text: string): number => tokenizer.countTokens(text).tokens;
const LIMITS = [16, 40, 200];

const markdown = (text: string, title: string | null = null): ChunkerDocument => ({ title, format: "markdown", text });
const plain = (text: string, title: string | null = null): ChunkerDocument => ({ title, format: "text", text });
const words = (name: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `${name}${index}`).join(" ");
const lines = (name: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `${name}${index} = ${index}`).join("\n");
const sentences = (name: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `The ${name} number ${index} says so.`).join(" ");

const FENCED = markdown(`# Scripts\n\nBefore it.\n\n\`\`\`sh\n${lines("code", 60)}\n\`\`\`\n\nAfter it.\n`);
const SECTIONS = markdown(`# Guide\n\n## Install\n\n${sentences("step", 80)}\n\n### Notes\n\nShort.\n`);
const DOCUMENTS: Readonly<Record<string, ChunkerDocument>> = {
  "a fence longer than the limit": FENCED,
  "sections with headings": SECTIONS,
  "headings without a body": markdown("# One\n\n## Two\n\n### Three\n\n# Four\n"),
  "a list": markdown(Array.from({ length: 40 }, (_, index) => `- item ${index} of the list\n`).join("")),
  "a table": markdown(
    `| name | value |\n| --- | --- |\n${Array.from({ length: 40 }, (_, index) => `| n${index} | v${index} |\n`).join("")}`,
  ),
  "paragraphs of text": plain(`${sentences("first", 30)}\n\n${sentences("second", 30)}`, "Report"),
  "one line without an end": plain(words("word", 500)),
  "one word without an end": plain("x".repeat(5000)),
  "signs outside the first plane": plain("\u{1F600}".repeat(300)),
  "letters with marks": plain("e\u0301".repeat(300)),
};

const visible = (text: string): string => text.replace(/\s+/g, "");
const isFenceLine = (line: string): boolean => /^\s*(?:`{3,}|~{3,})/.test(line);
const isSubsequence = (part: string, whole: string): boolean => {
  let at = 0;
  for (let index = 0; index < whole.length && at < part.length; index++) if (whole[index] === part[at]) at++;
  return at === part.length;
};

function each(
  create: CreateChunker,
  check: (chunks: readonly TextChunk[], document: ChunkerDocument, where: string, maxTokens: number) => void,
): void {
  for (const maxTokens of LIMITS) {
    const chunker = create({ maxTokens, countTokens });
    for (const [name, document] of Object.entries(DOCUMENTS)) {
      check(chunker.chunk(document), document, `${name} at ${maxTokens} tokens`, maxTokens);
    }
  }
}

/** What every Chunker promises. Run each check with a function that creates the chunker; it throws AssertionError on a broken promise. */
export const chunkerContract = {
  "keeps every chunk within the limit": (create) =>
    each(create, (chunks, _document, where, maxTokens) => {
      for (const chunk of chunks)
        assert.ok(countTokens(chunk.embedText) <= maxTokens, `${where}: ${countTokens(chunk.embedText)}`);
    }),

  "loses no character": (create) =>
    each(create, (chunks, document, where) => {
      const whole = visible(chunks.map((chunk) => chunk.text).join("\n"));
      assert.ok(isSubsequence(visible(document.text), whole), `${where}: a character is in no chunk`);
    }),

  "keeps short words whole": (create) => {
    const chunks = create({ maxTokens: 40, countTokens }).chunk(plain(words("word", 200)));
    const seen = new Set(chunks.flatMap((chunk) => chunk.text.split(/\s+/)));
    for (let index = 0; index < 200; index++) assert.ok(seen.has(`word${index}`), `word ${index} was cut`);
  },

  "gives equal chunks for an equal document, whatever came before": (create) => {
    const chunker = create({ maxTokens: 40, countTokens });
    const first = chunker.chunk(SECTIONS);
    for (const document of Object.values(DOCUMENTS)) chunker.chunk(document);
    assert.deepEqual(chunker.chunk(SECTIONS), first);
    assert.deepEqual(create({ maxTokens: 40, countTokens }).chunk(SECTIONS), first);
  },

  "closes every code fence in the chunk that opens it": (create) => {
    for (const maxTokens of LIMITS) {
      for (const chunk of create({ maxTokens, countTokens }).chunk(FENCED)) {
        let open = false;
        for (const line of chunk.text.split("\n")) {
          if (isFenceLine(line)) open = !open;
          else if (/code\d/.test(line)) assert.ok(open, `at ${maxTokens} tokens: code stands outside a fence`);
        }
        assert.ok(!open, `at ${maxTokens} tokens: a fence stays open`);
      }
    }
  },

  "cuts no character in two": (create) =>
    each(create, (chunks, _document, where) => {
      for (const { text, embedText } of chunks) {
        assert.ok(!/\p{Surrogate}/u.test(text + embedText), `${where}: half a surrogate pair`);
        assert.ok(!/^[\u0300-\u036f]/.test(text), `${where}: a mark without its letter`);
      }
    }),

  "embeds the heading path and then the text": (create) =>
    each(create, (chunks, _document, where) => {
      for (const { text, embedText, headingPath } of chunks) {
        assert.ok(embedText.startsWith(headingPath) && embedText.endsWith(text), where);
        assert.equal(visible(embedText), visible(headingPath) + visible(text), where);
      }
    }),

  "keeps the headings above as context": (create) => {
    const chunks = create({ maxTokens: 60, countTokens }).chunk(SECTIONS);
    const inside = chunks.find((chunk) => /number 40 says/.test(chunk.text));
    assert.equal(inside?.headingPath, "Guide > Install");
  },

  "puts the document's title before its headings": (create) => {
    const chunker = create({ maxTokens: 60, countTokens });
    const pathAt40 = (title: string): string | undefined =>
      chunker.chunk({ ...SECTIONS, title }).find((chunk) => /number 40 says/.test(chunk.text))?.headingPath;
    assert.equal(pathAt40("Manual"), "Manual > Guide > Install");
    assert.equal(pathAt40("Guide"), "Guide > Install", "a title equal to the first heading stands once");
  },

  "gives nothing for a document without text": (create) => {
    const chunker = create({ maxTokens: 40, countTokens });
    for (const text of ["", " \n\n\t\n"]) {
      assert.deepEqual(chunker.chunk(plain(text, "Title")), []);
      assert.deepEqual(chunker.chunk(markdown(text, "Title")), []);
    }
  },

  "has no blank chunk and no blank line at the ends of one": (create) =>
    each(create, (chunks, _document, where) => {
      for (const { text } of chunks) {
        assert.notEqual(visible(text), "", where);
        assert.ok(!/^[ \t]*\n/.test(text) && !/\s$/.test(text), `${where}: blank ends`);
      }
    }),

  "names its limit": (create) => {
    const id = (maxTokens: number): string => create({ maxTokens, countTokens }).id;
    assert.equal(id(40), id(40));
    assert.notEqual(id(40), id(41));
  },
} satisfies Record<string, (create: CreateChunker) => void>;
