import { resolve } from "node:path";
import type { Settings } from "@emb/config";
import { openSource, scopeSource, STORED_DOCUMENTS, type RunSource, type Source } from "@emb/ingest";
import { EmbError } from "@emb/manifest";
import type { Session } from "./session.js";
import { wholeNumber } from "./whole-number.js";

/** How a command line names a source, and what of it. */
export interface SourceOptions {
  /** A path, `stored`, or the address of a PostgreSQL database. */
  readonly source: string;
  readonly table?: string;
  readonly query?: string;
  readonly scope?: readonly string[];
  readonly limit?: string;
}

/** A source beside the words that the command line named it with, so that the same command can be shown again; a password is left out. */
export interface NamedSource {
  readonly name: string;
  readonly opened: RunSource;
}

const POSTGRES = /^postgres(?:ql)?:/;

/** @throws EmbError EMB_USAGE, EMB_SOURCE_MISSING, EMB_SOURCE_INVALID */
export async function openNamedSource(
  { cwd }: Pick<Session, "cwd">,
  { ingest: { maxDocumentBytes } }: { readonly ingest: Pick<Settings["ingest"], "maxDocumentBytes"> },
  options: SourceOptions,
): Promise<NamedSource> {
  const { source, scope: scopes = [] } = options;
  const limit = options.limit === undefined ? null : wholeNumber("--limit", options.limit);
  if (limit === 0)
    throw usage("--limit: expected at least 1 document, got 0", "--dry-run says what a run would take, without a run.");
  const name = wordsOf(options);
  const narrow = (opened: Source) => scopeSource(opened, { scopes, limit });
  if (POSTGRES.test(source)) return { name, opened: narrow(await openDatabase(options, maxDocumentBytes)) };
  for (const flag of ["table", "query"] as const)
    if (options[flag] !== undefined)
      throw usage(`--${flag} goes with a PostgreSQL source`, "Give --source postgres://USER@HOST/DATABASE.");
  if (source !== STORED_DOCUMENTS.identity)
    return { name, opened: narrow(await openSource(resolve(cwd, source), { maxDocumentBytes })) };
  if (scopes.length > 0 || limit !== null)
    throw usage(
      "--scope and --limit narrow what is read, and stored documents are not read again",
      "Give the source that they came from.",
    );
  return { name, opened: STORED_DOCUMENTS };
}

async function openDatabase({ source, table, query }: SourceOptions, maxDocumentBytes: number): Promise<Source> {
  if ((table === undefined) === (query === undefined))
    throw usage(
      "a PostgreSQL source needs --table or --query",
      "A query names the columns: SELECT ... AS id, ... AS text FROM ...",
    );
  const { createPostgresSource } = await import("@emb/ingest/postgres");
  const connectionString = source.replace(/^postgres:(?=postgres(?:ql)?:)/, "");
  return createPostgresSource({
    connectionString,
    maxDocumentBytes,
    rows: query === undefined ? { table: table ?? "" } : { query },
  });
}

function wordsOf({ source, table, query, scope = [], limit }: SourceOptions): string {
  const flags = [
    ["--table", table],
    ["--query", query],
    ...scope.map((filter) => ["--scope", filter] as const),
    ["--limit", limit],
  ] as const;
  const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, quoted(value)]));
  return [quoted(withoutPassword(source)), ...given].join(" ");
}

const withoutPassword = (address: string): string =>
  address.replace(/(:\/\/[^:@/]*):[^/]*@/, "$1@").replace(/([?&])password=[^&]*&?/, "$1");

const quoted = (word: string): string => (/^[\w./:@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

const usage = (message: string, hint: string) => new EmbError("EMB_USAGE", message, { hint });
