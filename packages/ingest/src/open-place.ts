import { resolve } from "node:path";
import { EmbError } from "@emb/manifest";
import { openSource } from "./open-source.js";
import type { Source } from "./source.js";

/** Where documents are, as a command line or a configuration names it. */
export interface SourcePlace {
  /** A path, or the address of a PostgreSQL database, which may hold a password. */
  readonly source: string;
  /** Of a database: one of them. */
  readonly table?: string | null | undefined;
  readonly query?: string | null | undefined;
}

/** `postgres://...`, or with the kind of source in front of it: `postgres:postgres://...`. */
export const isPostgresAddress = (source: string): boolean => /^postgres(?:ql)?:/.test(source);

/** Read as a path, it would be shown as one, password and all. */
const OTHER_ADDRESS = /^\s*[a-z][a-z0-9+.-]*:\/\//i;

/**
 * The source at a place: a folder, a JSONL file, or rows of a database, whose driver is loaded only then.
 * @param options.from where a relative path begins
 * @throws EmbError EMB_SOURCE_MISSING, EMB_SOURCE_INVALID, EMB_USAGE for an address that is none
 */
export async function openPlace(
  { source, table, query }: SourcePlace,
  { from, maxDocumentBytes }: { from: string; maxDocumentBytes: number },
): Promise<Source> {
  if (OTHER_ADDRESS.test(source) && !isPostgresAddress(source))
    throw new EmbError("EMB_USAGE", "the source is an address of another kind than postgres://", {
      hint: "Give a folder, a .jsonl file, or postgres://USER@HOST/DATABASE in small letters.",
    });
  if (!isPostgresAddress(source)) return openSource(resolve(from, source), { maxDocumentBytes });
  const { createPostgresSource } = await import("./postgres-source.js");
  return createPostgresSource({
    connectionString: source.replace(/^postgres:(?=postgres(?:ql)?:)/, ""),
    rows: query == null ? { table: table ?? "" } : { query },
    maxDocumentBytes,
  });
}
