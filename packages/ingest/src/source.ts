import type { ErrorCode, Json } from "@emb/manifest";

/** A document as read, before it has a version. */
export interface SourceDocument {
  readonly kind: "document";
  /** Stable across runs; for files the POSIX path relative to the root, NFC. At most 1,024 bytes of UTF-8. */
  readonly id: string;
  readonly title: string | null;
  readonly format: "markdown" | "text";
  /** Valid Unicode without NUL; no byte order mark; line ends as `\n`. May be empty. */
  readonly text: string;
  /** Strings in it are as clean as `text`; nested at most 64 deep. */
  readonly metadata: Readonly<Record<string, Json>>;
  /** The caller's own version of the document; null: the run's. */
  readonly version: bigint | null;
}

/** A document that is there but cannot be taken: it keeps what was stored of it before, and the run is not ready. */
export interface SetAside {
  readonly kind: "set-aside";
  /**
   * Its document id; where it stands (file:line, or the path as written) when it has none of its own. At most 1,024 bytes, distinct from every
   * other item's.
   */
  readonly id: string;
  readonly code: Extract<ErrorCode, "EMB_DOCUMENT_UNREADABLE" | "EMB_DOCUMENT_TOO_LARGE" | "EMB_DOCUMENT_INVALID">;
  /** What was expected and seen; never the text. */
  readonly reason: string;
  /**
   * True when documents stand behind it whose ids cannot be told (a folder that cannot be listed, a line that is not JSON): any stored document of this
   * source may be one of them, so none may be tombstoned as gone.
   */
  readonly hidesIds: boolean;
}

export type SourceItem = SourceDocument | SetAside;

/**
 * Where documents come from. Promises, each held by `sourceContract`:
 * - every document once, the ids distinct (a second one with the same id is set aside), in the same order on every read of unchanged content;
 * - pull-driven: at most one document (or one buffer of 64 KiB) beyond what was asked for is read, and memory is bounded by the largest document;
 * - a document that cannot be read is set aside with its reason, never dropped, and the rest goes on;
 * - leaving the iteration early, or aborting, closes every file.
 */
export interface Source {
  /** Identity across runs, for example `folder:/srv/docs`: documents of one identity that are gone from it become tombstones. */
  readonly identity: string;
  /** Says which of its documents it gives, when that is not all: then none is taken for gone. @defaultValue all */
  readonly partial?: string;
  /**
   * @throws EmbError EMB_SOURCE_MISSING when there is nothing at that place, EMB_SOURCE_INVALID when it is of another kind; the signal's
   *   reason on abort
   */
  read(options: { signal: AbortSignal }): AsyncIterable<SourceItem>;
  /** For a source that can be asked for what changed. What was removed shows only in a whole read. */
  readonly changes?: {
    /** A point in time to ask from later; drawn before a read, it misses nothing. */
    mark(options: { signal: AbortSignal }): Promise<string>;
    /** Documents that changed at or after the mark; unchanged ones may be among them. @throws as `read` */
    readSince(mark: string, options: { signal: AbortSignal }): AsyncIterable<SourceItem>;
  };
}

/** The documents that the store has already: nothing is read from outside, so they are embedded again without being parsed again. */
export interface StoredDocuments {
  readonly identity: "stored";
  readonly read: null;
  readonly partial?: never;
}

export const STORED_DOCUMENTS: StoredDocuments = { identity: "stored", read: null };

/** What a run is filled from. */
export type RunSource = Source | StoredDocuments;

/** As a run remembers its source. */
export const sourceName = ({ identity, partial }: RunSource): string =>
  partial === undefined ? identity : `${identity} (${partial})`;
