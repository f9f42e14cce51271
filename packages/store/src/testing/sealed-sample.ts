import { createHash, randomUUID } from "node:crypto";
import type { Chunk, DocumentChunks, NamespaceRecord, NamespaceWriter, WriteBatch } from "../namespaces.js";
import type { IncomingDocument } from "../documents.js";
import type { Lease, ShardCounters } from "../runs.js";
import type { NamespaceAddress, Seal } from "../seal.js";
import type { Store } from "../store.js";

export const sha256 = (text: string): Uint8Array => new Uint8Array(createHash("sha256").update(text).digest());
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const digest = (text: string): string => hex(sha256(text));

/** A base name that no other check uses, so that one database serves them all. */
export const newBase = (): string => `contract-${randomUUID()}`;

const NO_WORK: ShardCounters = { documents: 0, chunks: 0, embedded: 0, skipped: 0, failed: 0, tokens: 0 };
const DIMS = 4;

export function sealOf(change: Partial<Seal> = {}): Seal {
  const profile = change.profile ?? "first";
  return {
    spaceId: digest(`space of ${profile}`),
    fingerprint: digest(`fingerprint of ${profile}`),
    chunkerId: "chunker-1",
    profile,
    provider: "sample",
    modelId: "sample/model",
    dims: DIMS,
    similarity: "cosine",
    storage: "vector",
    witness: [{ side: "query", text: "a probe", vector: new Float32Array([0.5, -0.25, 1 / 3, 0]) }],
    ...change,
  };
}

export function addressOf(base: string, change: Partial<NamespaceAddress> = {}): NamespaceAddress {
  const suffix = change.suffix ?? "first";
  return { base, suffix, mode: "profile", namespace: suffix === "" ? base : `${base}_${suffix}`, ...change };
}

export function documentOf(id: string, version: bigint, change: Partial<IncomingDocument> = {}): IncomingDocument {
  const text = change.text ?? `text of ${id}`;
  return { id, title: null, format: "text", text, metadata: {}, version, contentHash: sha256(text), ...change };
}

export const chunkOf = (
  documentId: string,
  ordinal: number,
  vector: readonly number[],
  text = `${documentId}#${ordinal}`,
): Chunk => ({
  documentId,
  ordinal,
  contentHash: sha256(text),
  text,
  headingPath: "Top > Part",
  vector: new Float32Array(vector),
});

/** A vector that tells documents apart and is never zero. */
const vectorFor = (text: string): number[] => [...sha256(text).subarray(0, DIMS)].map((byte) => (byte + 1) / 256);

export const chunksOf = (documentId: string, version: bigint, count = 1): DocumentChunks => ({
  documentId,
  version,
  chunks: Array.from({ length: count }, (_, ordinal) =>
    chunkOf(documentId, ordinal, vectorFor(`${documentId}#${ordinal}`)),
  ),
});

/** A namespace with documents that are taken in and cut into shards, ready to be written. */
export interface Filling {
  readonly base: string;
  readonly address: NamespaceAddress;
  readonly seal: Seal;
  readonly record: NamespaceRecord;
  readonly runId: string;
  readonly version: bigint;
  readonly writer: NamespaceWriter;
  readonly lease: Lease;
}

export async function startFilling(
  store: Store,
  ids: readonly string[],
  change: {
    seal?: Partial<Seal>;
    base?: string;
    address?: Partial<NamespaceAddress>;
    leaseMs?: number;
    documentsPerShard?: number;
    /** The run fills these of the base, and no others. */
    scope?: readonly string[];
  } = {},
): Promise<Filling> {
  const base = change.base ?? newBase();
  const seal = sealOf(change.seal);
  const address = addressOf(base, { suffix: seal.profile, ...change.address });
  const record = await store.namespaces.create(address, seal);
  const version = await store.documents.nextVersion();
  const runId = randomUUID();
  await store.runs.create({
    id: runId,
    base,
    namespaceId: record.id,
    profile: seal.profile,
    source: "sample",
    version,
    partial: change.scope !== undefined,
  });
  if (change.scope !== undefined) await store.runs.addToScope(runId, change.scope);
  await store.documents.intake({ base, runId, source: "sample", documents: ids.map((id) => documentOf(id, version)) });
  await store.runs.cutShards(runId, change.documentsPerShard ?? 1_000_000);
  const lease = await store.runs.claimShard(runId, { owner: "check", leaseMs: change.leaseMs ?? 60_000 });
  if (lease === null) throw new Error("a run with documents has no shard to claim");
  return {
    base,
    address,
    seal,
    record,
    runId,
    version,
    lease,
    writer: await store.namespaces.openWriter(address, seal),
  };
}

export const batchOf = (
  filling: Filling,
  documents: readonly DocumentChunks[],
  change: Partial<WriteBatch> = {},
): WriteBatch => ({
  lease: filling.lease,
  documents,
  cursor: documents.at(-1)?.documentId ?? "",
  counters: NO_WORK,
  failures: [],
  ...change,
});

export const openSample = (store: Store, { address, seal }: Filling) =>
  store.namespaces.openReader(address, seal, { strict: true });
