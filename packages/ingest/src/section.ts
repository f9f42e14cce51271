/**
 * A stretch of a document under one heading. Offsets count UTF-16 units of the document's text; sections tile it, so
 * nothing is lost by reading it in sections.
 */
export interface Section {
  readonly start: number;
  readonly end: number;
  /** End of the headings that open it: they are not parted from what follows. `start` when there are none. */
  readonly leadEnd: number;
  /** Headings above the section's first line, outermost first. */
  readonly pathAbove: readonly string[];
  /** Headings above what follows the lead: `pathAbove` and the section's own. */
  readonly pathWithin: readonly string[];
  /** Starts of blocks (paragraph, list, fence, ...), ascending, without the first: the best places to cut. */
  readonly blocks: readonly number[];
  /** Starts of list items, ascending: the next best. */
  readonly items: readonly number[];
  /** Ascending, apart from each other. */
  readonly framed: readonly FramedBlock[];
}

/** A code fence or a table: when it must be cut, every part gets the frame again, so that each stands alone. */
export interface FramedBlock {
  readonly kind: "fence" | "table";
  readonly start: number;
  /** First offset after the opening line, or after the header rows. */
  readonly bodyStart: number;
  /** Where the closing line starts; `end` when there is none. */
  readonly bodyEnd: number;
  readonly end: number;
  /** Put before a part that does not start the block; ends with a newline. */
  readonly head: string;
  /** Put after a part that does not end the block; empty for tables. */
  readonly tail: string;
  /** False for a fence that the document does not close: its last part gets the tail too. */
  readonly closed: boolean;
}

/** A text without structure of its own. */
export const plainSection = (text: string, title: string | null, framed: readonly FramedBlock[] = []): Section => {
  const path = title === null ? [] : [title];
  return { start: 0, end: text.length, leadEnd: 0, pathAbove: path, pathWithin: path, blocks: [], items: [], framed };
};
