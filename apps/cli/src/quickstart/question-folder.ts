import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Question } from "./questions.js";

/** Writes questions as emb compare reads them, in BEIR layout. @returns the folder */
export async function writeQuestionFolder(dir: string, questions: readonly Question[]): Promise<string> {
  const folder = join(dir, "queries");
  await mkdir(folder, { recursive: true });
  const lines = questions.map(({ text }, place) => JSON.stringify({ _id: `q${place + 1}`, text }));
  const rows = questions.flatMap(({ answers }, place) => [...answers].map((id) => `q${place + 1}\t${id}\t1`));
  await writeFile(join(folder, "queries.jsonl"), `${lines.join("\n")}\n`);
  await writeFile(join(folder, "qrels.tsv"), `${["query-id\tcorpus-id\tscore", ...rows].join("\n")}\n`);
  return folder;
}
