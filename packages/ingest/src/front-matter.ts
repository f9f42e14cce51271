import type { Json } from "@emb/manifest";
import { parseDocument } from "yaml";
import { isMetadata } from "./document-text.js";

const OPENING = /^---[ \t]*\n/;
const MAX_LENGTH = 64 * 1024; // UTF-16 units; two rules far apart are no front matter
const MAX_TITLE_LENGTH = 300; // UTF-16 units; a longer heading is no title
const CLOSING = /^(?:---|\.\.\.)[ \t]*$/m;

export interface MarkdownFile {
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, Json>>;
  /** What stands after the front matter. */
  readonly text: string;
}

/**
 * A Markdown file as its front matter and its text. Front matter that is not a valid YAML mapping stays in the text: it is somebody's words, and losing
 * them would be worse than indexing them. The title is the front matter's, else the first `# ` heading.
 */
export function readMarkdownFile(content: string): MarkdownFile {
  const { metadata, text } = splitFrontMatter(content);
  const { title } = metadata;
  const given = typeof title === "string" || typeof title === "number" ? String(title).trim() : "";
  return { title: given === "" ? firstHeading(text) : given, metadata, text };
}

function splitFrontMatter(content: string): Pick<MarkdownFile, "metadata" | "text"> {
  const whole = { metadata: {}, text: content };
  const opening = OPENING.exec(content);
  if (opening === null) return whole;
  const rest = content.slice(opening[0].length);
  const closing = CLOSING.exec(rest.slice(0, MAX_LENGTH));
  if (closing === null) return whole;
  const metadata = readMapping(rest.slice(0, closing.index));
  return metadata === null
    ? whole
    : { metadata, text: rest.slice(closing.index + closing[0].length).replace(/^\n/, "") };
}

function readMapping(yaml: string): Readonly<Record<string, Json>> | null {
  try {
    const document = parseDocument(yaml, { prettyErrors: false });
    if (document.errors.length > 0) return null;
    const value: unknown = document.toJS() ?? {}; // nothing between the lines: no metadata
    return isMetadata(value) ? value : null;
  } catch {
    return null; // more aliases, or deeper nesting, than anybody writes
  }
}

/** The words of the first `# ` heading outside code fences. */
function firstHeading(text: string): string | null {
  let fence: string | null = null;
  for (const [line] of text.matchAll(/^ {0,3}(?:#[ \t].*|`{3,}[^`\n]*|~{3,}.*)$/gm)) {
    const mark = /`{3,}|~{3,}/.exec(line)?.[0];
    if (/^ *#/.test(line)) {
      const words = line
        .replace(/^ *#[ \t]+/, "")
        .replace(/(?:^|[ \t])#+[ \t]*$/, "")
        .trim();
      if (fence === null && words !== "") return words.length <= MAX_TITLE_LENGTH ? words : null;
    } else if (mark !== undefined) {
      if (fence === null) fence = mark;
      else if (mark.startsWith(fence)) fence = null;
    }
  }
  return null;
}
