import type { Settings } from "@emb/config";
import { isPostgresAddress, openPlace, scopeSource, STORED_DOCUMENTS, type RunSource } from "@emb/ingest";
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
  checkRows(options);
  if (source !== STORED_DOCUMENTS.identity) {
    const opened = await openPlace(options, { from: cwd, maxDocumentBytes });
    return { name, opened: scopeSource(opened, { scopes, limit }) };
  }
  if (scopes.length > 0 || limit !== null)
    throw usage(
      "--scope and --limit narrow what is read, and stored documents are not read again",
      "Give the source that they came from.",
    );
  return { name, opened: STORED_DOCUMENTS };
}

function checkRows(options: SourceOptions): void {
  const given = (["table", "query"] as const).filter((flag) => options[flag] !== undefined);
  if (!isPostgresAddress(options.source)) {
    if (given.length > 0)
      throw usage(`--${given[0]} goes with a PostgreSQL source`, "Give --source postgres://USER@HOST/DATABASE.");
  } else if (given.length !== 1)
    throw usage(
      "a PostgreSQL source needs --table or --query",
      "A query names the columns: SELECT ... AS id, ... AS text FROM ...",
    );
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
