import { createHash } from "node:crypto";
import { EmbError } from "@emb/manifest";
import { Client, DatabaseError } from "pg";
import { z } from "zod";
import { tooLarge } from "./document-file.js";
import { cleanText, documentIdFlaw, isMetadata, isRefusal, metadataFlaw, type Refusal } from "./document-text.js";
import type { SetAside, Source, SourceItem } from "./source.js";

/** Which rows are the documents: all of a table, or what a query answers. */
export type PostgresRows = { readonly table: string } | { readonly query: string };

export interface PostgresSourceOptions {
  /** A secret: it may hold a password. Parameters as of libpq. */
  readonly connectionString: string;
  readonly rows: PostgresRows;
  /** A text over this many bytes is set aside, and not sent by the server. */
  readonly maxDocumentBytes: number;
}

/** One answer of the server holds about so much text, so that memory is bounded by the largest document. */
const FETCH_BYTES = 64 * 1024;
const MAX_FETCH_ROWS = 500;
const CONNECT_TIMEOUT_MS = 10_000;
/** A transaction may commit a row whose updated_at is this old; what is read again is passed over as unchanged. */
const LATE_COMMIT_SECONDS = 300;

/** Columns with a meaning; every other one is metadata under its own name. */
const OWN_COLUMNS: ReadonlySet<string> = new Set(["id", "text", "title", "updated_at", "metadata"]);

/** PostgreSQL takes at most 100 arguments of a function: names and values. */
const MAX_PAIRS = 50;

const Row = z.object({
  id: z.string().nullable(),
  text: z.string().nullable(),
  bytes: z.int().nullable(),
  title: z.string().nullable(),
  /** Objects as json, not jsonb: a value that jsonb cannot hold would end the query, where it ends one document only. */
  metadata: z.string(),
});
const Mark = z.object({ mark: z.string() });

/**
 * Rows of a PostgreSQL database as documents: columns `id` and `text`, and where they are there `title`, `metadata` (a JSON object) and
 * `updated_at`; every other column is metadata. Read in order of `id` from one snapshot, by a cursor of a read-only transaction.
 * The identity names server, database and table (or the query's hash), never the user or the password.
 */
export function createPostgresSource(options: PostgresSourceOptions): Source {
  const identity = identityOf(options);
  return {
    identity,
    read: ({ signal }) => readRows(options, identity, { signal, since: null }),
    changes: {
      mark: ({ signal }) =>
        withClient(options, identity, signal, async (client) => {
          const { rows } = await client.query(
            `SELECT (clock_timestamp() - make_interval(secs => ${LATE_COMMIT_SECONDS}))::text AS mark`,
          );
          return Mark.parse(rows[0]).mark;
        }),
      readSince: (since, { signal }) => readRows(options, identity, { signal, since }),
    },
  };
}

function identityOf({ connectionString, rows }: PostgresSourceOptions): string {
  const url = URL.canParse(connectionString) ? new URL(connectionString) : null;
  // without its two slashes, user and password would be read as a part of the path, and shown
  if (url === null || !/^postgres(?:ql)?:\/\/(?!\/)/.test(connectionString) || url.pathname.includes("@"))
    throw new EmbError("EMB_USAGE", "the source's address is no postgres:// URL", {
      hint: "Give it as postgres://USER@HOST:PORT/DATABASE; the password can stand in PGPASSWORD.",
    });
  const what =
    "table" in rows ? rows.table : `query-${createHash("sha256").update(rows.query).digest("hex").slice(0, 12)}`;
  return `postgres://${url.host}${url.pathname}#${what}`;
}

async function withClient<T>(
  { connectionString }: PostgresSourceOptions,
  identity: string,
  signal: AbortSignal,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = await connect(connectionString, identity);
  try {
    return await work(client);
  } catch (error) {
    throw unreadable(identity, error);
  } finally {
    await client.end().catch(() => {}); // a connection that is gone is closed
  }
}

async function connect(connectionString: string, identity: string): Promise<Client> {
  try {
    // also made in here: it reads the files that the address names
    const client = new Client({
      connectionString,
      application_name: "emb source",
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    client.on("error", () => {}); // the next statement fails, and says so
    await client.connect();
    return client;
  } catch (error) {
    throw unreadable(identity, error);
  }
}

async function* readRows(
  options: PostgresSourceOptions,
  identity: string,
  { signal, since }: { signal: AbortSignal; since: string | null },
): AsyncGenerator<SourceItem> {
  signal.throwIfAborted();
  const client = await connect(options.connectionString, identity);
  const ask = async (
    sql: string,
    { values = [], readsRows = false }: { values?: string[]; readsRows?: boolean } = {},
  ) => {
    signal.throwIfAborted();
    try {
      return await client.query<Record<string, unknown>>(sql, values);
    } catch (error) {
      throw unreadable(identity, error, { readsRows });
    }
  };
  try {
    await ask("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const from = `(${rowsSql(options.rows)}\n) AS q`; // a query may end with a comment, which the line's end ends
    const { fields } = await ask(`SELECT * FROM ${from} LIMIT 0`);
    const columns = fields.map(({ name }) => name);
    checkColumns(identity, columns, since !== null);
    await ask(
      `DECLARE documents NO SCROLL CURSOR FOR ${documentsSql(from, columns, options.maxDocumentBytes, since !== null)}`,
      { values: since === null ? [] : [since] },
    );
    let fetchRows = 1;
    let before: string | null = null;
    let number = 0;
    for (;;) {
      const { rows } = await ask(`FETCH ${fetchRows} FROM documents`, { readsRows: true });
      if (rows.length === 0) return;
      let bytes = 0;
      for (const row of rows.map((one) => Row.parse(one))) {
        signal.throwIfAborted();
        bytes += row.text?.length ?? 0;
        yield toItem(row, { number: ++number, before, maxDocumentBytes: options.maxDocumentBytes });
        before = row.id;
      }
      const fitting = Math.floor(FETCH_BYTES / Math.max(bytes / rows.length, 1));
      fetchRows = Math.min(Math.max(fitting, 1), 2 * fetchRows, MAX_FETCH_ROWS);
    }
  } finally {
    await client.end().catch(() => {}); // a connection that is gone is closed
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const rowsSql = (rows: PostgresRows): string =>
  "table" in rows ? `SELECT * FROM ${rows.table.split(".").map(quoted).join(".")}` : rows.query.replace(/[;\s]+$/, "");

function checkColumns(identity: string, columns: readonly string[], changes: boolean): void {
  const missing = ["id", "text", ...(changes ? ["updated_at"] : [])].filter((name) => !columns.includes(name));
  if (missing.length === 0) return;
  throw new EmbError(
    "EMB_SOURCE_INVALID",
    `source ${identity}: expected columns ${missing.join(" and ")}, seen ${columns.join(", ") || "none"}`,
    { hint: "Name them in a query: SELECT article_id AS id, body AS text, changed AS updated_at FROM ..." },
  );
}

/** One row for each document, everything as text, in order of id. */
function documentsSql(from: string, columns: readonly string[], maxBytes: number, changes: boolean): string {
  const more = columns.filter((name) => !OWN_COLUMNS.has(name));
  const pairs = more.map((name) => `${literal(name)}, q.${quoted(name)}`);
  const objects = Array.from(
    { length: Math.ceil(pairs.length / MAX_PAIRS) },
    (_, part) => `json_build_object(${pairs.slice(part * MAX_PAIRS, (part + 1) * MAX_PAIRS).join(", ")})`,
  );
  if (columns.includes("metadata")) objects.push("to_json(q.metadata)");
  // values that are equal to the database may differ as texts: 1.0 and 1.00, or letters under a collation that takes A for a
  const order = `q.id, q.id::text COLLATE "C"${columns.includes("updated_at") ? ", q.updated_at" : ""}`;
  return `SELECT q.id::text AS id, CASE WHEN octet_length(q.text::text) <= ${maxBytes} THEN q.text::text END AS text,
      octet_length(q.text::text) AS bytes, ${columns.includes("title") ? "q.title::text" : "NULL::text"} AS title,
      json_build_array(${objects.join(", ")})::text AS metadata
    FROM ${from} ${changes ? "WHERE q.updated_at >= $1::timestamptz" : ""} ORDER BY ${order}`;
}

function toItem(
  row: z.infer<typeof Row>,
  { number, before, maxDocumentBytes }: { number: number; before: string | null; maxDocumentBytes: number },
): SourceItem {
  const { id } = row;
  const place = `row ${number}`;
  if (id === null) return setAside(place, invalid("id: expected one, found NULL"));
  const idFlaw = documentIdFlaw(id);
  if (idFlaw !== null) return setAside(place, invalid(idFlaw));
  if (id === before) return setAside(place, invalid("id: expected one that no row before has, found it a second time"));
  if (row.bytes === null) return setAside(id, invalid("text: expected one, found NULL"));
  if (row.text === null) return setAside(id, tooLarge(maxDocumentBytes, row.bytes));
  const text = cleanText(row.text, "text");
  if (isRefusal(text)) return setAside(id, text);
  const title = cleanText(row.title ?? "", "title");
  if (isRefusal(title)) return setAside(id, title);
  const metadata = merged(z.array(z.unknown()).parse(JSON.parse(row.metadata)));
  if (!isMetadata(metadata))
    return setAside(id, invalid(`metadata: ${metadataFlaw(metadata) ?? "expected a JSON object"}`));
  return {
    kind: "document",
    id,
    title: title.text.trim() === "" ? null : title.text,
    format: "text",
    text: text.text,
    metadata,
    version: null,
  };
}

/** Objects of which a later one has the last word, NULL for none, as one; a value among them that is no object, as it is. */
function merged(parts: readonly unknown[]): unknown {
  const given = parts.filter((part) => part !== null);
  const isObject = (part: unknown): part is object => typeof part === "object" && !Array.isArray(part);
  return given.every(isObject)
    ? Object.fromEntries(given.flatMap((part) => Object.entries(part)))
    : given.find((part) => !isObject(part));
}

const invalid = (reason: string): Refusal => ({ code: "EMB_DOCUMENT_INVALID", reason });
const setAside = (id: string, { code, reason }: Refusal): SetAside => ({
  kind: "set-aside",
  id,
  code,
  reason,
  hidesIds: false,
});

/** Classes of SQLSTATE that time heals: connection, rollback, shortage, lock, shutdown. Source: PostgreSQL 18 documentation, appendix A. */
const AWAY = /^(?:08|40|53|55|57)/;

/**
 * What the server says of a statement that reads no row names tables, columns and roles. Of one that does, it may quote a row's value, as in
 * `invalid input syntax for type integer: "..."`: only its SQLSTATE is said then. Its detail is left out always.
 */
function unreadable(identity: string, error: unknown, { readsRows = false } = {}): unknown {
  if (error instanceof EmbError) return error;
  if (error instanceof DatabaseError && !AWAY.test(error.code ?? ""))
    return readsRows
      ? new EmbError("EMB_SOURCE_INVALID", `source ${identity}: the database refused a row: SQLSTATE ${error.code}`, {
          hint: "Run the query there by hand: its own message may quote the row, and is kept out of logs.",
          context: { source: identity },
        })
      : new EmbError("EMB_SOURCE_INVALID", `source ${identity}: the database answered: ${error.message}`, {
          hint: "Check the table or query, and that the user may read it.",
          context: { source: identity },
        });
  const reason = reasonOf(error);
  if (UNTRUSTED.test(reason) && !(error instanceof Error && "syscall" in error && error.syscall === "connect"))
    return new EmbError("EMB_SOURCE_INVALID", `source ${identity}: no connection as its address asks for: ${reason}`, {
      hint: "Check sslmode, sslrootcert, sslcert and sslkey in the address, and the host's name.",
      context: { source: identity },
    });
  return new EmbError("EMB_SOURCE_UNAVAILABLE", `source ${identity}: the database could not be reached: ${reason}`, {
    hint: "Check address, user and password (PGPASSWORD), then run the same command again.",
    context: { source: identity },
  });
}

/** What no later attempt heals: certificates as Node and OpenSSL name them, files that cannot be read, and a server without TLS, said by pg without a code. */
const UNTRUSTED =
  /^(?:CERT_|ERR_SSL_|ERR_TLS_|ERR_OSSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|ENOENT|EACCES|EISDIR|ENOTDIR|The server does not support SSL)/;

const reasonOf = (error: unknown): string =>
  !(error instanceof Error)
    ? "no answer"
    : "code" in error && typeof error.code === "string"
      ? error.code
      : error.message;
