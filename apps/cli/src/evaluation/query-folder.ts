import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { assembleQuerySet, parsePlainQueries, parseQrels, parseQueries, type QuerySet } from "@emb/eval";
import { EmbError } from "@emb/manifest";

/** A query set and where it is from. */
export interface QueryFolder {
  readonly set: QuerySet;
  /** corpus.jsonl beside the queries; null: there is none. */
  readonly corpus: string | null;
  /** Hex SHA-256 of each file that is there. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** BEIR keeps the judgements of its test set in a folder of their own; TREC's are called qrels as well. */
const QRELS = ["qrels.tsv", join("qrels", "test.tsv"), "qrels.txt", "qrels"];

/**
 * A folder in BEIR layout (queries.jsonl; qrels.tsv, qrels/test.tsv or qrels.txt; corpus.jsonl), or a file of queries alone: .jsonl, or one query a line.
 * @param path absolute
 * @throws EmbError EMB_QUERIES_INVALID
 */
export async function readQueryFolder(path: string): Promise<QueryFolder> {
  if (await isFile(path)) {
    const file = await readInput(path);
    const parse = path.endsWith(".jsonl") ? parseQueries : parsePlainQueries;
    return { set: assembleQuerySet(parse(file.text, path), null), corpus: null, hashes: { queries: file.hash } };
  }
  const queries = join(path, "queries.jsonl");
  const file = await readInput(queries);
  const qrels = await firstFile(path, QRELS);
  const judgements = qrels === null ? null : await readInput(qrels);
  const corpus = await firstFile(path, ["corpus.jsonl"]);
  return {
    set: assembleQuerySet(
      parseQueries(file.text, queries),
      judgements === null || qrels === null ? null : parseQrels(judgements.text, qrels),
    ),
    corpus,
    hashes: {
      queries: file.hash,
      ...(judgements !== null && { qrels: judgements.hash }),
      ...(corpus !== null && { corpus: await hashOf(corpus) }),
    },
  };
}

/** @throws EmbError EMB_QUERIES_INVALID for a file that cannot be read or is not UTF-8 */
export async function readInput(path: string): Promise<{ text: string; hash: string }> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw invalid(`${path}: expected a file that can be read`, cause);
  });
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { text, hash: createHash("sha256").update(bytes).digest("hex") };
  } catch (cause) {
    throw invalid(`${path}: expected UTF-8, found other bytes`, cause);
  }
}

const hashOf = async (path: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

async function firstFile(folder: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) if (await isFile(join(folder, name))) return join(folder, name);
  return null;
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isFile() ?? false;

const invalid = (message: string, cause: unknown): EmbError =>
  new EmbError("EMB_QUERIES_INVALID", message, {
    hint: "--queries takes a folder with queries.jsonl and, for judgements, qrels.tsv; or a file of queries.",
    cause,
  });
