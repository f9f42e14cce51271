import { AssertionError } from "node:assert/strict";
import { describe, expect, it } from "vitest";
import type { Chunker, TextChunk } from "./chunker.js";
import { createChunker } from "./document-chunker.js";
import { chunkerContract, type CreateChunker } from "./testing/chunker-contract.js";

describe("createChunker keeps the chunker contract", () => {
  it.each(Object.entries(chunkerContract))("%s", (_name, check) => check(createChunker));
});

/** The real chunker with one thing spoilt. */
const spoil =
  (
    change: (chunks: readonly TextChunk[], document: Parameters<Chunker["chunk"]>[0]) => readonly TextChunk[],
  ): CreateChunker =>
  (options) => {
    const chunker = createChunker(options);
    return { id: chunker.id, chunk: (document) => change(chunker.chunk(document), document) };
  };

const withText = (chunk: TextChunk, text: string): TextChunk => ({
  text,
  headingPath: chunk.headingPath,
  embedText: chunk.headingPath === "" ? text : `${chunk.headingPath}\n\n${text}`,
});

const everyNCharacters =
  (length: number): CreateChunker =>
  () => ({
    id: "fixed",
    chunk: ({ text }) =>
      Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
        text.slice(index * length, (index + 1) * length),
      )
        .filter((piece) => piece.trim() !== "")
        .map((piece) => ({ text: piece, embedText: piece, headingPath: "" })),
  });

let calls = 0;
const broken: Record<keyof typeof chunkerContract, CreateChunker> = {
  "keeps every chunk within the limit": (options) => createChunker({ ...options, maxTokens: options.maxTokens + 1 }),
  "loses no character": spoil((chunks) => chunks.slice(0, -1)),
  "keeps short words whole": everyNCharacters(50),
  "gives equal chunks for an equal document, whatever came before": spoil((chunks) => {
    calls++;
    return chunks.map((chunk) => withText(chunk, `${chunk.text} ${calls}`));
  }),
  "closes every code fence in the chunk that opens it": spoil((chunks) =>
    chunks.map((chunk) => withText(chunk, chunk.text.replace(/\n```$/, ""))),
  ),
  "cuts no character in two": everyNCharacters(7),
  "embeds the heading path and then the text": spoil((chunks) =>
    chunks.map((chunk) => ({ ...chunk, embedText: chunk.text })),
  ),
  "keeps the headings above as context": spoil((chunks) =>
    chunks.map((chunk) => ({ text: chunk.text, embedText: chunk.text, headingPath: "" })),
  ),
  "puts the document's title before its headings": (options) => {
    const chunker = createChunker(options);
    return { id: chunker.id, chunk: (document) => chunker.chunk({ ...document, title: null }) };
  },
  "gives nothing for a document without text": spoil((chunks, { text }) =>
    chunks.length > 0 ? chunks : [{ text, embedText: text, headingPath: "" }],
  ),
  "has no blank chunk and no blank line at the ends of one": spoil((chunks) =>
    chunks.map((chunk) => withText(chunk, `${chunk.text}\n`)),
  ),
  "names its limit": (options) => ({ ...createChunker(options), id: "chunks" }),
};

const checks: Readonly<Record<string, (create: CreateChunker) => void>> = chunkerContract;

describe("the chunker contract fails on a broken chunker", () => {
  it.each(Object.entries(broken))("%s", (name, create) => {
    expect(() => checks[name]?.(create)).toThrow(AssertionError);
  });
});
