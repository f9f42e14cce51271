import type { Chunker, TextChunk } from "./chunker.js";
import { readMarkdown } from "./markdown-sections.js";
import { plainSection } from "./section.js";
import { SectionCutter } from "./section-cutter.js";
import { createTokenLimit } from "./token-limit.js";

/** Raise it when equal input gives other chunks: it is part of the chunker's id, and so of every seal. */
const RULES_VERSION = 1;

/**
 * Cuts Markdown by its headings and blocks, plain text by paragraphs and sentences. Time is linear in the text: a piece is counted once or
 * twice.
 *
 * @param options.maxTokens most tokens that `countTokens` may give for a chunk's `embedText`
 * @param options.countTokens tokens of the model's whole input for a text, special tokens and prompt included
 * @param options.counter names the way of counting where a profile has several, and then stands in the id: two machines that
 *   count differently never fill one namespace
 * @throws EmbError EMB_CONFIG_INVALID when `maxTokens` leaves no room for text
 */
export function createChunker({
  maxTokens,
  countTokens,
  counter,
}: {
  maxTokens: number;
  countTokens: (text: string) => number;
  counter?: string | undefined;
}): Chunker {
  const limit = createTokenLimit(maxTokens, countTokens);
  return {
    id: `chunks-${RULES_VERSION}/${maxTokens}${counter === undefined ? "" : `/${counter}`}`,
    chunk({ title, format, text }) {
      const sections = format === "markdown" ? readMarkdown(text, title) : [plainSection(text, title)];
      const cutter = new SectionCutter(text, limit);
      const chunks: TextChunk[] = [];
      for (const section of sections) for (const chunk of cutter.cut(section)) chunks.push(chunk);
      return chunks;
    },
  };
}
