import {
  characterBreak,
  codePointBreak,
  lineBreak,
  paragraphBreak,
  sentenceBreak,
  wordBreak,
  type BreakPoint,
} from "./break-points.js";
import type { Frames } from "./frames.js";
import { afterFirstVisible, lastUpTo } from "./offsets.js";
import type { Section } from "./section.js";

/**
 * The best place in (from, end] to end a piece that starts at `from`: between blocks, else list items, else paragraphs,
 * sentences, lines, words, characters. A fence or table is entered only when it opens the piece, between its lines if they fit.
 * Headings are left behind only when nothing of their body fits beside them.
 */
export function cutPoint(text: string, section: Section, frames: Frames, from: number, end: number): number {
  if (end >= section.end) return section.end;
  const block = section.blocks[lastUpTo(section.blocks, end)] ?? from;
  if (block > from) return block;
  const item = section.items[lastUpTo(section.items, end)] ?? from;
  if (item > from) return item;

  // From here on, (from, end] lies within one block and the headings before it.
  const window = text.slice(from, end + 2); // what follows a cut decides whether it parts a character
  const least = afterFirstVisible(text, from, end); // a piece holds something to read
  const last = (points: readonly BreakPoint[], floor: number, ceiling: number): number | null => {
    for (const point of points) {
      const at = from + point(window, ceiling - from);
      if (at >= floor) return at;
    }
    return null;
  };
  const outside = (point: BreakPoint, floor: number, ceiling: number): number | null => {
    for (let limit = ceiling; limit >= floor;) {
      const at = last([point], floor, limit);
      const frame = at === null ? null : frames.around(at);
      if (at === null || frame === null) return at;
      limit = frame.start;
    }
    return null;
  };

  const beyondHeadings = from < section.leadEnd && section.leadEnd < end;
  const floor = beyondHeadings ? afterFirstVisible(text, section.leadEnd, end) : least;
  const frame = frames.around(end);
  const ceiling = frame === null ? end : frame.start;
  for (const point of [paragraphBreak, sentenceBreak, lineBreak]) {
    const at = outside(point, floor, ceiling);
    if (at !== null) return at;
  }
  if (frame !== null) {
    const at = last(IN_A_LINE, Math.max(least, frame.bodyStart + 1), Math.min(end, frame.bodyEnd));
    if (at !== null) return at;
  }
  if (beyondHeadings) return last(IN_A_LINE, floor, frame === null ? end : ceiling) ?? section.leadEnd;
  return last(IN_A_LINE, least, end) ?? end;
}

const IN_A_LINE: readonly BreakPoint[] = [lineBreak, wordBreak, characterBreak, codePointBreak];
