import type { TokenLimit } from "./token-limit.js";

const SEPARATOR = " > ";
const MAX_HEADING_LENGTH = 200; // UTF-16 units of one heading that stand in a path

/** A heading as it stands in a path: one line, without marks, links as their words. */
export function headingWords(heading: string): string {
  return heading
    .slice(0, 4 * MAX_HEADING_LENGTH)
    .replace(/!?\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replace(/[`*]/g, "")
    .replace(/\\([!-/:-@[-`{-~])/g, "$1")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, MAX_HEADING_LENGTH)
    .replace(/[\ud800-\udbff]$/, "");
}

/** Two headings that say the same: letter case and blanks do not matter. */
export const sameHeading = (a: string, b: string): boolean =>
  headingWords(a).toLowerCase() === headingWords(b).toLowerCase();

/** Joins headings, outermost first. What takes more than a third of the limit loses its outermost headings, then the end of the last. */
export function joinHeadingPath(headings: readonly string[], limit: TokenLimit): string {
  const fits = (path: string): boolean => limit.countText(path) <= Math.floor(limit.room / 3);
  const words = headings.map(headingWords).filter((heading) => heading !== "");
  for (let from = 0; from < words.length; from++) {
    const path = words.slice(from).join(SEPARATOR);
    if (fits(path)) return path;
  }
  let last = words.at(-1) ?? "";
  while (last !== "") {
    last = last
      .slice(0, Math.floor(last.length * 0.8))
      .replace(/[\ud800-\udbff]$/, "")
      .trimEnd();
    if (last !== "" && fits(`${last}\u2026`)) return `${last}\u2026`;
  }
  return "";
}
