import type { Source, SourceItem } from "@emb/ingest";
import { makeTexts } from "../client/texts.js";

/** Every `every`-th document, counted from `offset`, has another text: what a user changed since. */
export interface Change {
  readonly every: number;
  readonly offset: number;
}

/** Texts of about 100 tokens and 590 bytes; a number before it makes each one its own, and tells the server which vector it gets. */
const BODIES = makeTexts(0, 997).map((text) => text.slice(text.indexOf(" ")));
/** About as much as a chunk holds, so that two never share one. */
const LONG_BODIES = makeTexts(0, 997).map((text) => `${text.slice(text.indexOf(" "))} ${"and so on, ".repeat(15)}`);

export const documentId = (i: number): string => `document-${String(i).padStart(9, "0")}`;

export function documentText(i: number, changes: readonly Change[]): string {
  let edition = 0;
  for (const [n, { every, offset }] of changes.entries()) if (i % every === offset) edition = n + 1;
  return `${i}${edition === 0 ? "" : ` edition ${edition}`}${BODIES[i % BODIES.length]!}`;
}

/** Most paragraphs that `longDocumentText` makes; document i has 1 + (i * 7) % so many, each a chunk of its own. */
export const MOST_PARAGRAPHS = 9;

function longDocumentText(i: number, changes: readonly Change[]): string {
  const edition = changes.findLastIndex(({ every, offset }) => i % every === offset) + 1;
  const paragraphs = Array.from(
    { length: 1 + ((i * 7) % MOST_PARAGRAPHS) },
    (_, k) => `${i * MOST_PARAGRAPHS + k} edition ${edition}${LONG_BODIES[(i + k) % LONG_BODIES.length]!}`,
  );
  return paragraphs.join("\n\n");
}

/** Documents in order of id, made as they are read. */
export const corpus = (count: number, changes: readonly Change[] = [], long = false): Source => ({
  identity: "bench:ingest",
  async *read(): AsyncGenerator<SourceItem> {
    const textOf = long ? longDocumentText : documentText;
    for (let i = 0; i < count; i++)
      yield {
        kind: "document",
        id: documentId(i),
        title: null,
        format: "text",
        text: textOf(i, changes),
        metadata: {},
        version: null,
      };
  },
});
