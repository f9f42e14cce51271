import type { TextChunk } from "./chunker.js";
import { cutPoint } from "./cut-point.js";
import { createFrames, NO_FRAMES, type Frames } from "./frames.js";
import { joinHeadingPath } from "./heading-path.js";
import { afterFirstVisible, firstVisible, firstVisibleLine } from "./offsets.js";
import type { FramedBlock, Section } from "./section.js";
import { estimateTokens, estimateUpTo } from "./token-estimate.js";
import type { TokenLimit } from "./token-limit.js";

/**
 * A tokenizer may count a run of 10 MB without a blank as one unknown word, so the length of a piece is bounded too: UTF-16
 * units for each token of the limit. Running text has 4 to 6.
 */
const MAX_LENGTH_PER_TOKEN = 16;
/** A piece filled to less than this share is tried once more, longer, with the corrected estimate. */
const WELL_FILLED = 0.8;
const SHRINK_MARGIN = 0.95;
const MIN_ESTIMATE_TO_LEARN_FROM = 8;

interface Piece {
  /** Null when the piece is blank. */
  readonly chunk: TextChunk | null;
  readonly end: number;
  /** Where the next piece starts. */
  readonly next: number;
}

/**
 * Cuts the sections of one document. It learns the scale of its estimates as it goes, so use one for each document, in order. A class, because
 * there is one for every document: as functions within a function it took twice the memory.
 */
export class SectionCutter {
  readonly #text: string;
  readonly #limit: TokenLimit;
  #tokensPerEstimate = 1;
  /** Counted pieces that nothing was learned from yet: most documents are one piece, and then it never is. */
  #counted: { readonly text: string; readonly tokens: number }[] = [];
  /** Sections side by side have the same headings above them: their path is counted once. */
  #paths: Map<string, string> | null = null;

  constructor(text: string, limit: TokenLimit) {
    this.#text = text;
    this.#limit = limit;
  }

  *cut(section: Section): Generator<TextChunk> {
    const text = this.#text;
    const allFrames = createFrames(section.framed, this.#limit);
    for (let from = firstVisibleLine(text, section.start, section.end); from < section.end;) {
      const path = this.#pathOf(from < section.leadEnd ? section.pathAbove : section.pathWithin);
      const frames = startsInHead(allFrames, from) ? NO_FRAMES : allFrames;
      const piece =
        this.#fit(section, frames, from, path) ??
        this.#fit(section, frames, from, "") ??
        this.#fit(section, NO_FRAMES, from, "") ??
        this.#oneCharacter(section, from);
      if (piece.chunk !== null) yield piece.chunk;
      from = firstVisibleLine(text, piece.next, section.end);
    }
  }

  #pathOf(headings: readonly string[]): string {
    if (headings.length === 0) return "";
    this.#paths ??= new Map();
    const key = headings.join("\n");
    const path = this.#paths.get(key) ?? joinHeadingPath(headings, this.#limit);
    this.#paths.set(key, path);
    return path;
  }

  /** The longest piece from `from` on within the limit that ends at a good place; null when not even the shortest is. */
  #fit(section: Section, frames: Frames, from: number, path: string): Piece | null {
    const ceiling = Math.min(section.end, from + this.#limit.maxTokens * MAX_LENGTH_PER_TOKEN);
    const shortest = this.#shortestEnd(section, frames, from);
    if (shortest > ceiling) return null;
    const frame = frames.around(from);
    const spent = estimateTokens(path) + (frame === null ? 0 : estimateTokens(frame.head) + estimateTokens(frame.tail));

    let fitted: Piece | null = null;
    let end = Math.max(shortest, this.#reach(from, ceiling, spent));
    for (;;) {
      const cutAt = cutPoint(this.#text, section, frames, from, end);
      if (fitted !== null && cutAt <= fitted.end) return fitted;
      const piece = this.#render(section, frames, from, cutAt, path);
      if (piece.chunk === null) return piece;
      const tokens = this.#count(piece.chunk.embedText);
      if (tokens <= this.#limit.maxTokens) {
        if (fitted !== null || cutAt >= section.end || tokens >= this.#limit.maxTokens * WELL_FILLED) return piece;
        fitted = piece;
        end = Math.max(shortest, this.#reach(from, ceiling, spent));
      } else {
        if (fitted !== null) return fitted;
        if (cutAt <= shortest) return null;
        const scaled = Math.floor((cutAt - from) * (this.#limit.maxTokens / tokens) * SHRINK_MARGIN);
        end = Math.max(shortest, Math.min(cutAt - 1, from + scaled));
      }
    }
  }

  /** Where, by what was learned so far, the limit is full. */
  #reach(from: number, ceiling: number, spent: number): number {
    this.#learn();
    const { room } = this.#limit;
    return estimateUpTo(this.#text, from, ceiling, room / this.#tokensPerEstimate - spent).end;
  }

  #count(embedText: string): number {
    const tokens = this.#limit.count(embedText);
    this.#counted.push({ text: embedText, tokens });
    return tokens;
  }

  /** From the latest piece that is long enough. */
  #learn(): void {
    if (this.#counted.length === 0) return;
    const last = this.#counted
      .map((piece) => ({ ...piece, estimate: estimateTokens(piece.text) }))
      .findLast(({ estimate }) => estimate >= MIN_ESTIMATE_TO_LEARN_FROM);
    if (last !== undefined)
      this.#tokensPerEstimate = Math.max(0.1, (last.tokens - this.#limit.overhead) / last.estimate);
    this.#counted = [];
  }

  /** One character; behind the opening lines when the piece opens a fence or a table. */
  #shortestEnd(section: Section, frames: Frames, from: number): number {
    const text = this.#text;
    const visible = firstVisible(text, from, section.end);
    const frame = from < section.leadEnd ? null : frames.holding(visible);
    return frame !== null && visible < frame.bodyStart
      ? afterFirstVisible(text, frame.bodyStart, frame.bodyEnd)
      : afterFirstVisible(text, from, section.end);
  }

  #render(section: Section, frames: Frames, from: number, end: number, path: string): Piece {
    const text = this.#text;
    const body = text.slice(from, end).trimEnd();
    const cutFrame = frames.around(end) ?? unclosedAt(frames, end);
    const next = cutFrame !== null && firstVisible(text, end, section.end) >= cutFrame.bodyEnd ? cutFrame.end : end;
    if (body === "") return { chunk: null, end, next };
    const head = frames.around(from)?.head ?? "";
    const tail = cutFrame === null || cutFrame.tail === "" ? "" : `\n${cutFrame.tail}`;
    const framed = `${head}${body}${tail}`;
    return {
      chunk: { text: framed, embedText: path === "" ? framed : `${path}\n\n${framed}`, headingPath: path },
      end,
      next,
    };
  }

  #oneCharacter(section: Section, from: number): Piece {
    return this.#render(section, NO_FRAMES, from, afterFirstVisible(this.#text, from, section.end), "");
  }
}

/** The opening line or the header was itself too long for one piece: its rest is text. */
function startsInHead(frames: Frames, from: number): boolean {
  const frame = frames.around(from);
  return frame !== null && from < frame.bodyStart;
}

/** A fence that the document leaves open and that ends here. */
function unclosedAt(frames: Frames, end: number): FramedBlock | null {
  const frame = frames.holding(end - 1);
  return frame !== null && frame.end === end && !frame.closed ? frame : null;
}
