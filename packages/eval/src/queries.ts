import { emptyInput, inputLines, LineProblems } from "./input-lines.js";

export interface Query {
  readonly id: string;
  readonly text: string;
  /** Words by which queries can be cut into slices: the scalar fields of the line and of its `metadata`, the latter first. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface QueryFile {
  readonly queries: readonly Query[];
  /** Lines whose id an earlier line has; the earlier one stands. */
  readonly duplicates: number;
}

const HINT = 'Each line is {"_id": "...", "text": "..."}, with "metadata" if you like.';

/**
 * queries.jsonl in BEIR layout: one object a line with "_id" or "id", "text" and, if any, "metadata".
 * @throws EmbError EMB_QUERIES_INVALID with file and line of each bad line
 */
export function parseQueries(content: string, file: string): QueryFile {
  const problems = new LineProblems(file);
  const queries = new Map<string, Query>();
  let duplicates = 0;
  for (const { number, text: line } of inputLines(content)) {
    const fields = parseObject(line);
    const id = fields?.["_id"] ?? fields?.["id"];
    const text = fields?.["text"];
    if (fields === null) problems.add(number, "expected a JSON object, found something else", HINT);
    else if (typeof id !== "string" || id === "")
      problems.add(number, 'expected a string "_id" or "id", found none', HINT);
    else if (typeof text !== "string" || text.trim() === "")
      problems.add(number, 'expected a string "text" that is not blank, found none', HINT);
    else if (queries.has(id)) duplicates++;
    else queries.set(id, { id, text, labels: labelsOf(fields) });
  }
  problems.throwIfAny();
  if (queries.size === 0) emptyInput(file, "queries");
  return { queries: [...queries.values()], duplicates };
}

/** A plain text file with one query a line; the ids are the line numbers. @throws EmbError EMB_QUERIES_INVALID when it has no line */
export function parsePlainQueries(content: string, file: string): QueryFile {
  const queries = [...inputLines(content)].map(({ number, text }) => ({
    id: String(number),
    text: text.trim(),
    labels: new Map<string, string>(),
  }));
  if (queries.length === 0) emptyInput(file, "queries");
  return { queries, duplicates: 0 };
}

function parseObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // the parser's own message quotes the line
  }
}

function labelsOf(fields: Readonly<Record<string, unknown>>): Map<string, string> {
  const { metadata } = fields;
  const inner = typeof metadata === "object" && metadata !== null ? Object.entries(metadata) : [];
  const labels = new Map<string, string>();
  for (const [name, value] of [...Object.entries(fields), ...inner])
    if (!["_id", "id", "text"].includes(name) && ["string", "number", "boolean"].includes(typeof value))
      labels.set(name, String(value));
  return labels;
}
