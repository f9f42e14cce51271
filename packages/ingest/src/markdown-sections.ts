import { getDefaults, Lexer, type MarkedToken, type Token, type Tokens } from "marked";
import { fencesIn } from "./code-fence.js";
import { headingWords, sameHeading } from "./heading-path.js";
import { plainSection, type FramedBlock, type Section } from "./section.js";

/** Sections of a Markdown text. What the lexer cannot take (quotes or lists nested too deep) is one section without headings. */
export function readMarkdown(text: string, title: string | null): readonly Section[] {
  const tokens = lex(text);
  return tokens === null
    ? [plainSection(text, title, fencesIn(text, 0, text.length))]
    : sectionsOf(text, tokens, title);
}

/** Null when the tokens do not add up to the text, so that a slice of it would be wrong. */
function lex(text: string): readonly MarkedToken[] | null {
  if (nestsTooDeep(text)) return null;
  let tokens: readonly Token[];
  try {
    // Own defaults: a `marked.use()` elsewhere in the process must not change chunks. Inline rules are not run: only blocks matter here.
    tokens = new Lexer(getDefaults()).blockTokens(text, []);
  } catch {
    return null; // too much recursion, or marked's own guard against an endless loop
  }
  let offset = 0;
  for (const token of tokens) {
    if (!text.startsWith(token.raw, offset)) return null;
    offset += token.raw.length;
  }
  return offset === text.length && tokens.every(isMarkedToken) ? tokens : null;
}

const BLOCK_TYPES = new Set("space code heading table hr blockquote list html def paragraph text".split(" "));
const isMarkedToken = (token: Token): token is MarkedToken => BLOCK_TYPES.has(token.type);

/** marked reads every level of nesting anew, in time that grows with depth x length; people do not nest deeper than this. */
const MAX_NESTING = 20;
const CONTAINER_PREFIX = /^(?:[ \t>]|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))+/gm;
const RULE_LINE = /^[ \t]*([-*])(?:[ \t]*\1)*[ \t]*$/;
const MAX_PREFIX_LENGTH = 1000;

function nestsTooDeep(text: string): boolean {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (end - start >= MAX_NESTING && lineNestsTooDeep(text.slice(start, Math.min(end, start + MAX_PREFIX_LENGTH))))
      return true;
    start = end + 1;
  }
  return false;
}

function lineNestsTooDeep(line: string): boolean {
  const [prefix = ""] = line.match(CONTAINER_PREFIX) ?? [];
  const markers = prefix.replace(/[ \t]+/g, "").replace(/\d+/g, "").length;
  if (markers === 0 || (line.length < MAX_PREFIX_LENGTH && RULE_LINE.test(line))) return false;
  const [indent = ""] = /^[ \t]*/.exec(line) ?? [];
  return markers + indent.replaceAll("\t", "    ").length / 2 > MAX_NESTING;
}

/** Headings open sections; a heading without a body travels with the next one of its own level or deeper. */
function sectionsOf(text: string, tokens: readonly MarkedToken[], title: string | null): readonly Section[] {
  const sections: Section[] = [];
  const headings: { depth: number; words: string }[] = [];
  const path = (): string[] => {
    const words = headings.map((heading) => heading.words);
    return title === null || (words[0] !== undefined && sameHeading(words[0], title)) ? words : [title, ...words];
  };
  let open = createSectionBuilder(text, 0, title === null ? [] : [title]);
  let offset = 0;
  for (const token of tokens) {
    const end = offset + token.raw.length;
    if (token.type === "heading") {
      const travels = open.headingDepth !== null && token.depth >= open.headingDepth;
      while ((headings.at(-1)?.depth ?? 0) >= token.depth) headings.pop();
      if (!travels) {
        if (offset > open.start) sections.push(open.close(offset));
        const above = headings.length === 0 && title !== null && sameHeading(token.text, title) ? [] : path();
        open = createSectionBuilder(text, offset, above);
      }
      headings.push({ depth: token.depth, words: headingWords(token.text) });
      open.addHeading(token, end, path());
    } else if (token.type !== "space") {
      open.addBlock(token, offset, end);
    }
    offset = end;
  }
  if (offset > open.start) sections.push(open.close(offset));
  return sections;
}

interface SectionBuilder {
  readonly start: number;
  /** Depth of the last heading while no body has followed it. */
  readonly headingDepth: number | null;
  addHeading(token: Tokens.Heading, end: number, pathWithin: readonly string[]): void;
  addBlock(token: MarkedToken, start: number, end: number): void;
  close(end: number): Section;
}

function createSectionBuilder(text: string, start: number, pathAbove: readonly string[]): SectionBuilder {
  const blocks: number[] = [];
  const items: number[] = [];
  const framed: FramedBlock[] = [];
  let leadEnd = start;
  let pathWithin = pathAbove;
  let headingDepth: number | null = null;
  let bodied = false;
  return {
    start,
    get headingDepth() {
      return headingDepth;
    },
    addHeading(token, end, within) {
      leadEnd = end;
      pathWithin = within;
      headingDepth = token.depth;
    },
    addBlock(token, blockStart, end) {
      if (bodied) blocks.push(blockStart);
      bodied = true;
      headingDepth = null;
      if (token.type === "list") {
        let itemStart = blockStart;
        for (const item of token.items) {
          if (itemStart > blockStart) items.push(itemStart);
          itemStart += item.raw.length;
        }
      }
      if (token.type === "list" || token.type === "blockquote") framed.push(...fencesIn(text, blockStart, end));
      if (token.type === "code" && token.codeBlockStyle !== "indented") framed.push(...fencesIn(text, blockStart, end));
      if (token.type === "table") framed.push(...tableFrame(text, blockStart, end));
    },
    close: (end) => ({ start, end, leadEnd, pathAbove, pathWithin, blocks, items, framed }),
  };
}

/** Nothing for a table without rows. */
function tableFrame(text: string, start: number, end: number): FramedBlock[] {
  const header = text.indexOf("\n", start);
  const delimiters = header < 0 ? -1 : text.indexOf("\n", header + 1);
  if (delimiters < 0 || delimiters + 1 >= end) return [];
  const bodyStart = delimiters + 1;
  // Columns drawn with blanks and dashes cost a token a dash: parts repeat the header without the drawing.
  const head = text
    .slice(start, bodyStart)
    .replace(/[ \t]+/g, " ")
    .replace(/-{3,}/g, "---");
  return [{ kind: "table", start, bodyStart, bodyEnd: end, end, head, tail: "", closed: true }];
}
