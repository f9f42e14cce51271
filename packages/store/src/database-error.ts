import { EmbError } from "@emb/manifest";

/** What a database says when it refuses: PostgreSQL's five-letter SQLSTATE and its sentence, without detail, which may hold texts. */
export interface DatabaseRefusal {
  readonly sqlState: string | undefined;
  readonly message: string;
}

const EXCERPT = 300;

// Source: PostgreSQL 18 documentation, appendix A. A class of two letters stands for all of its codes.
const CODES: Readonly<
  Record<string, "EMB_STORE_FULL" | "EMB_STORE_UNAVAILABLE" | "EMB_STORE_REFUSED" | "EMB_DOCUMENT_INVALID">
> = {
  "53100": "EMB_STORE_FULL", // disk full
  "53200": "EMB_STORE_FULL", // out of memory
  "22021": "EMB_DOCUMENT_INVALID", // a text holds a character that PostgreSQL cannot store
  "22P05": "EMB_DOCUMENT_INVALID",
  "28": "EMB_STORE_REFUSED", // user or password
  "3D000": "EMB_STORE_REFUSED", // no such database
  "42501": "EMB_STORE_REFUSED", // the role may not do that, such as CREATE EXTENSION
  "08": "EMB_STORE_UNAVAILABLE", // connection
  "40": "EMB_STORE_UNAVAILABLE", // serialization failure, deadlock: the transaction was rolled back
  "53": "EMB_STORE_UNAVAILABLE", // too many connections and other shortages
  "55": "EMB_STORE_UNAVAILABLE", // lock not available
  "57": "EMB_STORE_UNAVAILABLE", // shut down, cancelled
  "58": "EMB_STORE_UNAVAILABLE", // input or output failed
  "25P03": "EMB_STORE_UNAVAILABLE", // silent within a transaction for too long
  "25006": "EMB_STORE_UNAVAILABLE", // read-only: a standby, or a server that ran out of space
};

const HINTS = {
  EMB_STORE_FULL: "Free disk space or memory for the database, then run the same command again.",
  EMB_STORE_UNAVAILABLE: "Check that the database runs and its disk is writable, then run the same command again.",
  EMB_STORE_REFUSED:
    "Check user, password and database of DATABASE_URL; a role without the right to it needs CREATE EXTENSION vector and CREATE SCHEMA done once by an administrator.",
  EMB_DOCUMENT_INVALID: "Remove NUL and other characters that are no text from the document.",
  EMB_INTERNAL: "Report this with the command that was run and what --verbose prints.",
} as const;

/** A few failures of the disk, such as a session that begins while it is full, come as PostgreSQL's own internal error. */
const diskRefused = ({ sqlState, message }: DatabaseRefusal): boolean =>
  sqlState === "XX000" && /^could not (?:write|extend|create|open|read) /.test(message);

/** The EmbError for what a database refused. */
export function databaseError(refusal: DatabaseRefusal, cause?: unknown): EmbError {
  const { sqlState = "" } = refusal;
  const code =
    CODES[sqlState] ?? CODES[sqlState.slice(0, 2)] ?? (diskRefused(refusal) ? "EMB_STORE_UNAVAILABLE" : "EMB_INTERNAL");
  return new EmbError(code, `the database refused: ${refusal.message.slice(0, EXCERPT)}`, {
    hint: HINTS[code],
    ...(sqlState === "" ? {} : { context: { sqlState } }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** True for an error that a database gave this SQLSTATE. */
export const isDatabaseError = (error: unknown, sqlState: string): boolean =>
  error instanceof EmbError && error.context["sqlState"] === sqlState;
