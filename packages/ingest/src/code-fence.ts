import type { FramedBlock } from "./section.js";

// A fence may stand behind quote signs, list markers and indentation.
const OPENING = /^((?:[ \t>]|[-+*][ \t]|\d{1,9}[.)][ \t])*)(`{3,}|~{3,})(.*)$/;
const CLOSING = /^([ \t>]*)(`{3,}|~{3,})[ \t]*$/;
const MAX_OPENING_LENGTH = 300; // a longer first line is not repeated, and a longer prefix is no prefix

interface Opening {
  readonly start: number;
  readonly bodyStart: number;
  readonly prefix: string;
  readonly fence: string;
  readonly head: string;
}

/** The fences in `text` from `from` to `to`, read line by line: for quotes, lists and text that no lexer has read. */
export function fencesIn(text: string, from: number, to: number): FramedBlock[] {
  const fences: FramedBlock[] = [];
  let open: Opening | null = null;
  for (let start = from; start < to;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 || newline >= to ? to : newline + 1;
    const line = text.slice(start, Math.min(end, start + MAX_OPENING_LENGTH)).replace(/\n$/, "");
    if (open === null) open = readOpening(line, start, end);
    else if (closes(line, open)) {
      fences.push(framed(open, start, end, true));
      open = null;
    }
    start = end;
  }
  if (open !== null) fences.push(framed(open, to, to, false));
  return fences.filter((fence) => fence.head.length < MAX_OPENING_LENGTH);
}

function readOpening(line: string, start: number, end: number): Opening | null {
  const [, prefix, fence, info] = OPENING.exec(line) ?? [];
  if (prefix === undefined || fence === undefined || info === undefined) return null;
  if (fence.startsWith("`") && info.includes("`")) return null;
  // A continued part belongs to the same list item, but does not start it.
  const indent = prefix.replace(/[^\s>]/g, " ");
  return { start, bodyStart: end, prefix: indent, fence, head: `${indent}${fence}${info}\n` };
}

function closes(line: string, open: Opening): boolean {
  const [, prefix, fence] = CLOSING.exec(line) ?? [];
  if (prefix === undefined || fence === undefined) return false;
  return fence.startsWith(open.fence) && prefix.length <= open.prefix.length + 3;
}

const framed = (open: Opening, bodyEnd: number, end: number, closed: boolean): FramedBlock => ({
  kind: "fence",
  start: open.start,
  bodyStart: open.bodyStart,
  bodyEnd,
  end,
  head: open.head,
  tail: `${open.prefix}${open.fence}`,
  closed,
});
