import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openSource, type Source, type SourceDocument } from "@emb/ingest";
import { z } from "zod";
import { ROOT } from "../repository/checkout.js";

const FOLDER = "passengers";

const Query = z.object({ _id: z.string(), text: z.string() });

interface Question {
  readonly text: string;
  /** Documents that answer it. */
  readonly answers: readonly string[];
}

/** A folder of the example collection: eight documents and the questions that they answer. */
export interface Handbook {
  readonly source: Source;
  readonly documents: readonly SourceDocument[];
  readonly questions: readonly Question[];
}

export async function readHandbook(options: { maxDocumentBytes: number }): Promise<Handbook> {
  const example = join(ROOT, "examples/handbook");
  const source = await openSource(join(example, "documents", FOLDER), options);
  const documents: SourceDocument[] = [];
  for await (const item of source.read({ signal: new AbortController().signal }))
    if (item.kind === "document") documents.push(item);

  const lines = async (file: string) => (await readFile(join(example, file), "utf8")).trim().split("\n");
  const judgements = (await lines("qrels.tsv")).slice(1).map((line) => line.split("\t"));
  const questions = (await lines("queries.jsonl"))
    .map((line) => Query.parse(JSON.parse(line)))
    .map(({ _id, text }) => ({
      text,
      answers: judgements
        .filter(([query, document]) => query === _id && document?.startsWith(`${FOLDER}/`) === true)
        .map(([, document]) => document!.slice(FOLDER.length + 1)),
    }))
    .filter(({ answers }) => answers.length > 0);
  return { source, documents, questions };
}
