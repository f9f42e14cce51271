import { emptyInput, inputLines, LineProblems } from "./input-lines.js";
import { fieldsOf } from "./qrels.js";
import { rankDocuments, type ScoredDocument } from "./ranking.js";

export interface TrecRun {
  /** By query id, in trec_eval's order: the rank column is not looked at. */
  readonly rankings: ReadonlyMap<string, readonly ScoredDocument[]>;
  /** The last column of the first line. */
  readonly tag: string;
  /** Lines about a query and a document that an earlier line has; the higher score stands. */
  readonly duplicates: number;
}

const HINT = "A line is `query Q0 document rank score tag`.";

/** @throws EmbError EMB_QUERIES_INVALID with file and line of each bad line */
export function parseTrecRun(content: string, file: string): TrecRun {
  const problems = new LineProblems(file);
  const found = new Map<string, ScoredDocument[]>();
  let tag: string | null = null;
  let lines = 0;
  for (const { number, text } of inputLines(content)) {
    const fields = fieldsOf(text);
    const [query, , id, , score, name] = fields;
    if (fields.length !== 6 || query === undefined || id === undefined || score === undefined) {
      problems.add(number, `expected 6 fields, found ${fields.length}`, HINT);
      continue;
    }
    if (score === "" || !Number.isFinite(Number(score))) {
      problems.add(number, "expected a finite number as the score, found something else", HINT);
      continue;
    }
    tag ??= name ?? "";
    lines++;
    const documents = found.get(query);
    if (documents === undefined) found.set(query, [{ id, score: Number(score) }]);
    else documents.push({ id, score: Number(score) });
  }
  problems.throwIfAny();
  if (tag === null) emptyInput(file, "lines of a run");
  const rankings = new Map([...found].map(([query, documents]) => [query, rankDocuments(documents)]));
  const distinct = [...rankings.values()].reduce((sum, documents) => sum + documents.length, 0);
  return { rankings, tag, duplicates: lines - distinct };
}

/**
 * A run file of these rankings, which `parseTrecRun` reads back. A line with white space in an id has tabs between its columns; a tab or a line's end
 * in one is written as %09 and the like.
 */
export function formatTrecRun(rankings: Iterable<readonly [string, readonly ScoredDocument[]]>, tag: string): string {
  const word = (text: string): string => text.replaceAll(/[\t\r\n]/g, (space) => encodeURIComponent(space));
  const lines: string[] = [];
  for (const [query, documents] of rankings)
    for (const [place, { id, score }] of documents.entries())
      lines.push(line([word(query), "Q0", word(id), String(place + 1), String(score), word(tag)]));
  return lines.join("");
}

const line = (columns: readonly string[]): string =>
  `${columns.join(columns.some((column) => /\s/.test(column)) ? "\t" : " ")}\n`;
