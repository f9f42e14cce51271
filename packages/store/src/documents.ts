/** A document as a source gives it. */
export interface IncomingDocument {
  /** Stable across runs, at most 1,024 bytes of UTF-8. */
  readonly id: string;
  readonly title: string | null;
  /** How the chunker reads `text`. */
  readonly format: "markdown" | "text";
  readonly text: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The caller's own; else the run's, drawn before the source was read. */
  readonly version: bigint;
  /**
   * The version is the caller's own, on a number line of its own: it is compared with the caller's other versions only. @defaultValue false
   */
  readonly ownVersion?: boolean;
  /** SHA-256 (32 bytes) over title, format, text and metadata. */
  readonly contentHash: Uint8Array;
}

export interface StoredDocument extends IncomingDocument {
  readonly deleted: boolean;
  readonly source: string;
}

/** What filling a namespace needs of a document. */
export interface PendingDocument extends Pick<StoredDocument, "id" | "title" | "format" | "text" | "version"> {
  /** Where the version is the caller's: its number may come again with another content, once it was deleted. null: drawn, and so never given twice. */
  readonly contentHash: Uint8Array | null;
}

export interface IntakeCounts {
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Left alone because the stored document, or its tombstone, has a newer version. */
  readonly superseded: number;
}

/** Stored documents of a source beside those of one batch that came from it. */
export interface Comparison {
  /** Those of the batch that are not stored with this content and from this source, or have a version of the caller's that is above the stored one. */
  readonly differing: readonly IncomingDocument[];
  /**
   * Ids of the source's live documents behind the place where the walk began, up to the batch's last, that are not in the batch; null: those were not
   * looked at.
   */
  readonly unseen: readonly string[] | null;
}

/** What became of one document that was put. */
export interface PutResult {
  /**
   * unchanged: stored already with this content, and now known in this version; superseded: the stored document, or its tombstone, has a newer
   * version, or the caller's own version with another content.
   */
  readonly state: "stored" | "unchanged" | "superseded";
  /** What the stored document, or its tombstone, has now. */
  readonly version: bigint;
}

export interface Deletion {
  readonly base: string;
  readonly documentId: string;
  readonly version: bigint;
  /** As in `IncomingDocument`. @defaultValue false */
  readonly ownVersion?: boolean;
  /** Nothing but id and version is left of it in any table, whether or not it was deleted before. @defaultValue false */
  readonly erase?: boolean;
}

export interface DeletionResult {
  /** absent: it was deleted already, or never there; its tombstone has this version now. superseded: it is newer, and is left alone. */
  readonly state: "deleted" | "absent" | "superseded";
  /** What the tombstone, or the newer document, has now. */
  readonly version: bigint;
}

/** The system of record of texts, one row for each (base, document id). Order is bytewise by id everywhere. */
export interface Documents {
  /** A number higher than every version drawn before. */
  nextVersion(): Promise<bigint>;
  /**
   * Looks which documents have to be taken in, so that `intake`, which decides again, is spared the others. Writes nothing. A batch in order of id is
   * compared in one walk along the key, unless too many other documents stand between.
   * @param compare.walkedThrough the walk begins behind this id; "": at the first of the base; null: at the first of the batch, and nothing is said
   *   of what did not come
   */
  compare(compare: {
    base: string;
    source: string;
    documents: readonly IncomingDocument[];
    walkedThrough: string | null;
  }): Promise<Comparison>;
  /**
   * Stores what is new or changed. One transaction; where nothing is, nothing is written. Texts of unchanged documents are not written again, and
   * keep their version, unless the caller gives a higher one of its own; they belong to this source from now on. Ids within one call are distinct. Repeating a call changes nothing.
   * A document that was deleted and comes back in a newer version counts as created. What is created or changed is queued for every namespace of the
   * base but the run's own, whose shards will cover it; where they are cut already, or the run is over, for that one too.
   * @throws EmbError EMB_DOCUMENT_INVALID names a document that cannot be stored as it is (NUL, half a surrogate pair, an id over 1,024 bytes)
   */
  intake(intake: {
    base: string;
    runId: string;
    source: string;
    documents: readonly IncomingDocument[];
  }): Promise<IntakeCounts>;
  /** Remembers for `sweep` what the run saw, for as many ids as the caller cannot remember by itself. */
  markSeen(seen: { base: string; runId: string; documentIds: readonly string[] }): Promise<void>;
  /**
   * Tombstones every live document of `source` that the run did not see and whose version is below `version` (or the caller's own), and removes its
   * chunks from every namespace of the base, in one transaction. Ends the run's memory of what was marked as seen.
   * @param sweep.saw whether the run saw this id; ids that were marked are not asked for
   * @param sweep.walked up to `through` only the ids that were found `unseen` are looked at again. @defaultValue every document of the source is
   * @returns documents tombstoned
   */
  sweep(sweep: {
    base: string;
    runId: string;
    source: string;
    version: bigint;
    saw: (documentId: string) => boolean;
    walked?: { readonly through: string; readonly unseen: readonly string[] };
  }): Promise<number>;
  /** Live documents with id > `after` and <= `through` (null: no bound). With `maxBytes` it ends with the document that passes that sum of text bytes. */
  read(page: {
    base: string;
    after: string | null;
    through: string | null;
    limit: number;
    maxBytes?: number;
    /** Only those whose current version is committed in the namespace with this number. @defaultValue all */
    committedIn?: number;
    /** Only these. */
    ids?: readonly string[];
  }): Promise<readonly StoredDocument[]>;
  count(base: string): Promise<{ live: number; deleted: number }>;
  /**
   * Stores one document that changed by itself, and queues it for every namespace of the base that is filling or ready, in one transaction.
   * Idempotent. A caller's own version is compared with own versions; against a drawn one it counts as drawn now. @throws as `intake`
   */
  put(put: { base: string; source: string; document: IncomingDocument }): Promise<PutResult>;
  /**
   * Tombstones one document, also one that was never there, and removes its chunks, queued changes and failures from every namespace of the base, in
   * one transaction: no older version comes back.
   */
  delete(deletion: Deletion): Promise<DeletionResult>;
}
