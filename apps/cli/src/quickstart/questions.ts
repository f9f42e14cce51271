import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EmbError } from "@emb/manifest";
import type { Store } from "@emb/store";

/** A question and the documents that answer it. */
export interface Question {
  readonly text: string;
  readonly answers: ReadonlySet<string>;
}

const Query = z.object({ _id: z.string(), text: z.string() });

/** The judged questions beside the handbook: queries.jsonl and qrels.tsv in BEIR layout. */
export async function readJudgedQuestions(folder: string): Promise<Question[]> {
  const lines = (await readFile(join(folder, "queries.jsonl"), "utf8"))
    .split("\n")
    .filter((line) => line.trim() !== "");
  const answers = new Map<string, Set<string>>();
  for (const row of (await readFile(join(folder, "qrels.tsv"), "utf8")).trim().split("\n").slice(1)) {
    const [query, document, score] = row.trim().split("\t");
    if (query === undefined || document === undefined || !(Number(score) > 0)) continue;
    answers.set(query, (answers.get(query) ?? new Set()).add(document));
  }
  return lines.map((line) => {
    const { _id, text } = Query.parse(JSON.parse(line));
    return { text, answers: answers.get(_id) ?? new Set() };
  });
}

/** Words of a first line that stand for a title where a document has none. */
const TITLE_WORDS = 12;

/** For a collection without judgements: the titles, or first lines, of up to `limit` documents, each answered by its own document. */
export async function titleQuestions(store: Store, base: string, limit: number): Promise<Question[]> {
  const page = await store.documents.read({ base, after: null, through: null, limit: limit * 5 });
  const titled = page.filter(({ text }) => text.trim() !== "");
  if (titled.length === 0)
    throw new EmbError("EMB_SOURCE_EMPTY", "expected documents with text to ask about, found none", {
      hint: "Give --source a folder of .md or .txt files with text.",
    });
  return titled.slice(0, limit).map(({ id, title, text }) => ({
    text: title?.trim() || text.trim().split(/\s+/).slice(0, TITLE_WORDS).join(" "),
    answers: new Set([id]),
  }));
}
