/**
 * Where running text may be cut, from the best place to the last resort. Every function looks back from `before` in one
 * window of text and returns the offset at which the second part starts, or 0 when the window has no such place.
 *
 * The rules stand on fixed code point ranges: Intl.Segmenter and `\p{...}` answer differently from one ICU to the next, and
 * chunks must not.
 */
export type BreakPoint = (window: string, before: number) => number;

const WHITESPACE = /\s/;
const CONTAINER_BLANK = /^[\s>]*$/;
const TERMINATORS = ".!?\u2026";
const WIDE_TERMINATORS = "\u3002\uff01\uff1f";
const CLOSERS = "\"'\u2019\u201d\u00bb)]*_`\u300d\u300f\uff09";
const LETTER = /[A-Za-z]/;
/** Lower-case letters of the alphabets that have case: a sentence does not start with one. */
const LOWER_CASE = /[a-z\u00df-\u00f6\u00f8-\u00ff\u03b1-\u03c9\u0430-\u045f]/;

/** After the last blank line, `>` of a quote not counted. */
export const paragraphBreak: BreakPoint = (window, before) => {
  let newline = before > 0 ? window.lastIndexOf("\n", before - 1) : -1;
  while (newline > 0) {
    const previous = window.lastIndexOf("\n", newline - 1);
    if (previous >= 0 && CONTAINER_BLANK.test(window.slice(previous + 1, newline))) return newline + 1;
    newline = previous;
  }
  return 0;
};

/** After the last end of a sentence and the blanks behind it. An initial (`J.`, `e.g.`) ends none. */
export const sentenceBreak: BreakPoint = (window, before) => {
  for (let at = Math.min(before, window.length - 1); at > 0; at--) {
    const next = window.charAt(at);
    if (WHITESPACE.test(next)) continue;
    let end = at;
    while (end > 0 && WHITESPACE.test(window.charAt(end - 1))) end--;
    const spaced = end < at;
    let stop = end;
    while (stop > 0 && CLOSERS.includes(window.charAt(stop - 1))) stop--;
    const mark = window.charAt(stop - 1);
    const wide =
      mark !== "" && WIDE_TERMINATORS.includes(mark) && !WIDE_TERMINATORS.includes(next) && !CLOSERS.includes(next);
    const narrow = spaced && mark !== "" && TERMINATORS.includes(mark) && !LOWER_CASE.test(next);
    if (wide || (narrow && !isInitial(window, stop - 1))) return at;
    if (spaced || stop < end) at = Math.max(stop, 0) + 1; // the run just looked at is not looked at again
  }
  return 0;
};

const isInitial = (window: string, period: number): boolean =>
  window.charAt(period) === "." &&
  LETTER.test(window.charAt(period - 1)) &&
  !/[A-Za-z0-9]/.test(window.charAt(period - 2));

/** After the last line end. */
export const lineBreak: BreakPoint = (window, before) => (before > 0 ? window.lastIndexOf("\n", before - 1) + 1 : 0);

/** After the last blank. */
export const wordBreak: BreakPoint = (window, before) => {
  let at = before;
  while (at > 0 && !WHITESPACE.test(window.charAt(at - 1))) at--;
  return at;
};

const MAX_CLUSTER_LENGTH = 64; // UTF-16 units; a longer pile of marks is cut between two of them

/** At the last place that does not part a character from its marks, joiners or modifiers. */
export const characterBreak: BreakPoint = (window, before) => {
  for (
    let at = codePointBreak(window, before);
    at > 0 && before - at <= MAX_CLUSTER_LENGTH;
    at = codePointBreak(window, at - 1)
  ) {
    if (!joins(window, at)) return at;
  }
  return 0;
};

/** At the last place that does not part a surrogate pair. */
export const codePointBreak: BreakPoint = (window, before) =>
  isLow(window.charCodeAt(before)) && isHigh(window.charCodeAt(before - 1)) ? before - 1 : before;
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

const ZERO_WIDTH_JOINER = 0x200d;
/** True when the character at `at` belongs to the one before it. */
function joins(window: string, at: number): boolean {
  const code = window.codePointAt(at);
  return code !== undefined && code >= 0x300 && (isMark(code) || window.charCodeAt(at - 1) === ZERO_WIDTH_JOINER);
}

/** Combining marks, variation selectors, joiners and emoji modifiers: [first, last] by code point. */
const MARKS: readonly (readonly [number, number])[] = [
  [0x0300, 0x036f],
  [0x0483, 0x0489],
  [0x0591, 0x05bd],
  [0x05bf, 0x05c7],
  [0x0610, 0x061a],
  [0x064b, 0x065f],
  [0x0670, 0x0670],
  [0x06d6, 0x06ed],
  [0x0711, 0x0711],
  [0x0730, 0x074a],
  [0x07a6, 0x07b0],
  [0x0e31, 0x0e31],
  [0x0e34, 0x0e3a],
  [0x0e47, 0x0e4e],
  [0x0eb1, 0x0eb1],
  [0x0eb4, 0x0ebc],
  [0x0ec8, 0x0ece],
  [0x0f71, 0x0f84],
  [0x102b, 0x103e],
  [0x17b4, 0x17d3],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x200c, 0x200d],
  [0x20d0, 0x20ff],
  [0x3099, 0x309a],
  [0xfe00, 0xfe0f],
  [0xfe20, 0xfe2f],
  [0x1f3fb, 0x1f3ff],
  [0xe0020, 0xe007f],
  [0xe0100, 0xe01ef],
];

/** Scripts of India from Devanagari to Sinhala lie in blocks of 128 with one layout: these places in a block are marks. */
const INDIC_MARKS: readonly (readonly [number, number])[] = [
  [0x00, 0x03],
  [0x3a, 0x3c],
  [0x3e, 0x4d],
  [0x51, 0x57],
  [0x62, 0x63],
];

const within = (ranges: readonly (readonly [number, number])[], value: number): boolean =>
  ranges.some(([first, last]) => value >= first && value <= last);

const isMark = (code: number): boolean =>
  code >= 0x0900 && code <= 0x0dff ? within(INDIC_MARKS, code & 0x7f) : within(MARKS, code);
