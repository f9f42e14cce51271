import type { Judgements } from "./judgements.js";
import { emptyInput, inputLines, LineProblems } from "./input-lines.js";

export interface Qrels {
  /** By query id. */
  readonly judgements: ReadonlyMap<string, Judgements>;
  /** Lines about a query and a document that an earlier line judges; the earlier one stands. */
  readonly duplicates: number;
}

/** Place of the fields in a line, by how many there are: BEIR's `query-id corpus-id score`, TREC's `query 0 document grade`. */
const LAYOUTS = { 3: { document: 1, grade: 2 }, 4: { document: 2, grade: 3 } } as const;
const HINT =
  "A line is `query-id<TAB>corpus-id<TAB>score` (BEIR, below its header) or `query 0 document grade` (TREC).";

/**
 * Judgements in BEIR's or TREC's layout; all lines of a file have the same. A grade is a whole number; below 0 means not judged (trec_eval) and is
 * left out.
 * @throws EmbError EMB_QUERIES_INVALID with file and line of each bad line
 */
export function parseQrels(content: string, file: string): Qrels {
  const problems = new LineProblems(file);
  const judgements = new Map<string, Map<string, number>>();
  let duplicates = 0;
  let columns: number | null = null;
  let lines = 0;
  for (const { number, text } of inputLines(content)) {
    const fields = fieldsOf(text);
    if (lines++ === 0 && fields[0] === "query-id") continue;
    columns ??= fields.length;
    const layout = columns === 3 || columns === 4 ? LAYOUTS[columns] : null;
    if (layout === null || fields.length !== columns) {
      const wanted = columns === 3 || columns === 4 ? String(columns) : "3 or 4";
      problems.add(number, `expected ${wanted} fields, found ${fields.length}`, HINT);
      continue;
    }
    const query = fields[0]!;
    const document = fields[layout.document]!;
    const grade = fields[layout.grade]!;
    if (query === "" || document === "")
      problems.add(number, "expected the ids of a query and a document, found a blank", HINT);
    else if (!/^[+-]?\d{1,9}$/.test(grade))
      problems.add(number, "expected a whole number as the grade, found something else", HINT);
    else if (judgements.get(query)?.has(document)) duplicates++;
    else if (Number(grade) >= 0)
      judgements.set(query, (judgements.get(query) ?? new Map<string, number>()).set(document, Number(grade)));
  }
  problems.throwIfAny();
  if (judgements.size === 0) emptyInput(file, "judgements");
  return { judgements, duplicates };
}

/** By tabs where there is one, so that an id may hold spaces. */
export const fieldsOf = (line: string): string[] =>
  line.includes("\t") ? line.split("\t").map((field) => field.trim()) : line.trim().split(/\s+/);
