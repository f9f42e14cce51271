import type { PendingDocument } from "./documents.js";
import type { Lease, ShardCounters, TextFailure } from "./runs.js";
import type { NamespaceAddress, Seal } from "./seal.js";

/** `filling` until its run was verified once, then `ready`; `retired` rows have no table any more. */
export type NamespaceState = "filling" | "ready" | "retired";

export interface NamespaceRecord extends NamespaceAddress {
  readonly id: number;
  readonly state: NamespaceState;
  readonly seal: Seal;
  readonly createdAt: Date;
}

/** One piece of a document as stored. (documentId, ordinal) is its key; ordinals run from 0, and a gap is a chunk that was set aside. */
export interface Chunk {
  readonly documentId: string;
  readonly ordinal: number;
  /** SHA-256 (32 bytes) of the exact text that was embedded. */
  readonly contentHash: Uint8Array;
  /** What a reader is shown. */
  readonly text: string;
  /** Headings above the text, outermost first, joined with " > "; empty when there are none. */
  readonly headingPath: string;
  /** `dims` finite float32; may be a view into a larger matrix. */
  readonly vector: Float32Array;
}

/** All chunks that one document version has in this namespace: they replace whatever it had. */
export interface DocumentChunks {
  readonly documentId: string;
  /** Skipped, and counted as superseded, when the stored document has another version by now or was deleted. */
  readonly version: bigint;
  /** As of `PendingDocument`: another content under the same version counts as another version. @defaultValue null: not compared */
  readonly contentHash?: Uint8Array | null;
  readonly chunks: readonly Chunk[];
}

export interface WriteBatch {
  readonly lease: Lease;
  readonly documents: readonly DocumentChunks[];
  /** Documents up to and including this id are done when the batch is committed. */
  readonly cursor: string;
  /** Added to the shard's counters. */
  readonly counters: ShardCounters;
  readonly failures: readonly TextFailure[];
}

/** Documents that changed one by one, as they are to be shown from now on. */
export interface ChangeBatch {
  readonly documents: readonly DocumentChunks[];
  /** Claimed too, and found shown in their current version or deleted: looked at again before they leave the queue. */
  readonly settled: readonly string[];
  /** Chunks of `documents` that the provider refused. */
  readonly failures: readonly (TextFailure & { readonly ordinal: number })[];
}

export interface StoredChunkKey {
  readonly documentId: string;
  readonly ordinal: number;
  readonly contentHash: Uint8Array;
  readonly documentVersion: bigint;
}

/** What verification needs to know of a stored row without reading its vector. */
export interface StoredChunkFacts extends StoredChunkKey {
  readonly sealId: number;
  readonly dims: number;
  /** L2 norm of the stored vector. */
  readonly norm: number;
  /** SHA-256 (32 bytes) of what a reader is shown, as it stands in the row now: heading path, a zero byte, text. */
  readonly shownHash: Uint8Array;
}

/** How a namespace stands to one document, at one moment. */
export interface Standing {
  readonly documentId: string;
  /** Of the document, or of its tombstone. */
  readonly version: bigint;
  readonly deleted: boolean;
  /** Committed here last; null: never. */
  readonly committed: bigint | null;
  readonly change: "queued" | "set_aside" | null;
  /** Of the chunks that a live change set aside. */
  readonly setAside: readonly number[];
}

export interface Hit {
  readonly documentId: string;
  readonly ordinal: number;
  readonly text: string;
  readonly headingPath: string;
  /** Higher is closer for every similarity: cosine similarity, inner product, or minus the Euclidean distance. */
  readonly score: number;
  readonly provenance: {
    readonly contentHash: string;
    readonly documentVersion: bigint;
    readonly runId: string;
    readonly embeddedAt: Date;
  };
}

export interface DenseQuery {
  readonly vector: Float32Array;
  /** 1 to 1,000. Fewer hits come back only when the namespace holds fewer chunks. */
  readonly limit: number;
  /** Scan every row instead of the index. @defaultValue false */
  readonly exact?: boolean;
}

/** Read handle of one namespace. Any number may be open. */
export interface NamespaceReader {
  readonly record: NamespaceRecord;
  /** `mismatched` only when it was opened with strict off: every answer made with it must say so. */
  readonly seal: "equal" | "mismatched";
  /**
   * Best first; equal scores in order of (documentId, ordinal).
   * @throws EmbError EMB_VECTOR_INVALID on wrong dims or a non-finite number; EMB_NAMESPACE_NOT_FOUND when it was retired meanwhile
   */
  searchDense(query: DenseQuery): Promise<readonly Hit[]>;
  /** Documents that have a chunk here, and chunks. */
  count(): Promise<{ documents: number; chunks: number }>;
  /**
   * Documents of the base that this namespace does not show as they are now: live ones whose current version was never committed here, and
   * deleted ones that still have chunks. 0 means fresh.
   */
  lag(): Promise<number>;
  /** Chunks in order of (documentId, ordinal), bytewise; starts after `after`. */
  scan(page: {
    after: { documentId: string; ordinal: number } | null;
    limit: number;
    /** Only of these. */
    documentIds?: readonly string[];
  }): Promise<readonly StoredChunkFacts[]>;
  /** Those of these documents that the base has or had, in order of id. */
  standing(documentIds: readonly string[]): Promise<readonly Standing[]>;
  /** Which of these content hashes have a vector here, as lower-case hex. Makes no index, unlike a writer: a plan changes nothing. */
  findContent(contentHashes: readonly Uint8Array[]): Promise<ReadonlySet<string>>;
  /** Up to `limit` stored vectors spread over the namespace, for recall measurements; the same ones for the same `seed`. */
  sampleVectors(sample: {
    limit: number;
    seed: number;
  }): Promise<readonly (StoredChunkKey & { vector: Float32Array })[]>;
  /** Whether an approximate index is there and valid. */
  index(): Promise<"none" | "hnsw">;
}

/**
 * Write handle of one namespace, opened with the expected seal. The namespace keeps, for each document, the version it committed last (also
 * for a document without chunks): that is how unchanged documents are passed over without reading their text.
 */
export interface NamespaceWriter {
  readonly record: NamespaceRecord;
  /** Live documents with id > `after` and <= `through` (null: no bound) whose current version is not committed here, in order of id. */
  readPending(page: {
    after: string | null;
    through: string | null;
    limit: number;
    /** Stops after the document that passes this sum of text bytes, so a page holds at least one. */
    maxBytes: number;
    /** Only these. @defaultValue all */
    ids?: readonly string[];
  }): Promise<readonly PendingDocument[]>;
  /**
   * Forgets that these documents are committed, so that the next fill writes them again: the repair of what verification found. With `chunks`
   * their rows go too, so that a damaged vector is not found and copied by its content. What a live change set aside of them waits again.
   * @defaultValue chunks false
   */
  forget(documentIds: readonly string[], options?: { chunks: boolean }): Promise<void>;
  /** Keys of all chunks these documents have now, in order of (documentId, ordinal). */
  readKeys(documentIds: readonly string[]): Promise<readonly StoredChunkKey[]>;
  /** Whether not one chunk is stored. */
  isEmpty(): Promise<boolean>;
  /**
   * Vectors already stored for these content hashes in this namespace, or in others of its vector space, keyed by lower-case hex; absent when
   * there is none.
   */
  findVectors(
    contentHashes: readonly Uint8Array[],
    alsoIn?: readonly NamespaceRecord[],
  ): Promise<ReadonlyMap<string, Float32Array>>;
  /**
   * Copies the documents of the shard that another namespace of the base holds in their current version, chunks and vectors, inside the database,
   * and counts them as skipped: for namespaces of one vector space and one chunker. One transaction, the lease checked in it. Documents of which
   * the other one set a text aside are left out. @throws EmbError EMB_LEASE_LOST
   */
  copyDocuments(copy: { lease: Lease; from: NamespaceRecord }): Promise<{ documents: number; chunks: number }>;
  /**
   * Commits chunks, cursor, counters and failures in one transaction; the lease is checked and renewed inside it. Replaces all chunks of
   * each document, so repeating a batch changes nothing. A document that has a newer version, or is deleted, is left alone.
   * @returns how many documents were superseded that way
   * @throws EmbError EMB_LEASE_LOST, EMB_VECTOR_INVALID, EMB_NAMESPACE_NOT_FOUND (retired meanwhile), EMB_STORE_FULL, EMB_STORE_UNAVAILABLE; then
   *   nothing of the batch is stored
   */
  writeBatch(batch: WriteBatch): Promise<{ superseded: number }>;
  /** Those of these documents that are live and whose current version is not committed here, in order of id. */
  readChanged(documentIds: readonly string[]): Promise<readonly PendingDocument[]>;
  /**
   * Commits live changes in one transaction, without a lease: the rows of the documents are locked, and only what still has the stored version
   * and is not committed in it is written. What is shown now leaves the queue; what has failures stays in it, set aside. Idempotent.
   * @returns documents whose chunks were written, and those that have another version by now and stay queued
   * @throws EmbError EMB_VECTOR_INVALID, EMB_NAMESPACE_NOT_FOUND (retired meanwhile), EMB_STORE_FULL, EMB_STORE_UNAVAILABLE; then nothing is stored
   */
  writeChanges(batch: ChangeBatch): Promise<{ written: readonly string[]; superseded: readonly string[] }>;
  /** Builds what searching needs once the backfill is done; repairs an invalid index. Idempotent. `built: false` says why in `reason`. */
  buildIndex(options?: { signal?: AbortSignal }): Promise<{ built: boolean; reason: string }>;
}

export interface ExpectedSeal {
  readonly profile: string;
  readonly spaceId: string;
  readonly fingerprint: string;
  readonly dims: number;
}

/** The catalogue of namespaces: the only way to one is a handle opened with the expected seal. */
export interface Namespaces {
  list(base?: string): Promise<readonly NamespaceRecord[]>;
  find(address: Pick<NamespaceAddress, "base" | "suffix">): Promise<NamespaceRecord | null>;
  /** The mode stored with a base; null when the base has no namespace yet. */
  modeOf(base: string): Promise<NamespaceAddress["mode"] | null>;
  /**
   * Makes the table and writes the seal, in state `filling`; returns the existing record when its seal is equal (witness apart).
   * @throws EmbError EMB_SEAL_MISMATCH (both fingerprints named), EMB_NAMESPACE_MODE_MISMATCH, EMB_NAMESPACE_OCCUPIED (mode none, another
   *   profile), EMB_DIMS_UNSUPPORTED
   */
  create(address: NamespaceAddress, seal: Seal): Promise<NamespaceRecord>;
  /**
   * @param strict false: a seal of another space but equal dims is opened anyway, as `mismatched`
   * @throws EmbError EMB_NAMESPACE_NOT_FOUND, EMB_NAMESPACE_MODE_MISMATCH, EMB_SEAL_MISMATCH
   */
  openReader(address: NamespaceAddress, expected: ExpectedSeal, options: { strict: boolean }): Promise<NamespaceReader>;
  /** Strict always. @throws EmbError EMB_NAMESPACE_NOT_FOUND, EMB_NAMESPACE_MODE_MISMATCH, EMB_SEAL_MISMATCH */
  openWriter(address: NamespaceAddress, expected: ExpectedSeal & { chunkerId: string }): Promise<NamespaceWriter>;
  /** Only after a run was verified. */
  markReady(id: number): Promise<void>;
  /** Drops the table, keeps the catalogue row as `retired`; a later `create` at the address starts anew. Idempotent. */
  retire(id: number): Promise<void>;
}
