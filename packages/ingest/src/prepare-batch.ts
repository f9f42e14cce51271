import { EmbError } from "@emb/manifest";
import type { Chunk, DocumentChunks, NamespaceRecord, NamespaceWriter, ShardCounters, TextFailure } from "@emb/store";
import type { TextChunk } from "./chunker.js";
import { chunkHash } from "./content-hash.js";
import type { OwnContents } from "./own-contents.js";
import type { RecentVectors } from "./recent-vectors.js";
import type { RunMeter } from "./run-meter.js";

/** Where vectors come from. */
export interface VectorSources {
  readonly recent: RecentVectors;
  /** Null: whatever is not recent may be stored. */
  readonly own: OwnContents | null;
  readonly writer: Pick<NamespaceWriter, "findVectors">;
  /** Namespaces whose vectors can stand in this one as they are: same-space.ts. */
  readonly sameSpace: readonly NamespaceRecord[];
  readonly meter: RunMeter;
}

export interface PendingDocument {
  readonly id: string;
  readonly version: bigint;
  /** As of the store's `DocumentChunks`. */
  readonly contentHash?: Uint8Array | null;
  readonly chunks: readonly TextChunk[];
}

export interface Prepared {
  readonly documents: readonly DocumentChunks[];
  readonly counters: ShardCounters;
  readonly failures: readonly TextFailure[];
  /** null: not one document of the batch is whole. */
  readonly cursor: string | null;
  /** Why the batch ends before its last document. */
  readonly stopped: EmbError | null;
}

/** Gives every chunk its vector: from a moment ago, from the namespace, or from the provider, in that order. */
export async function prepare(
  sources: VectorSources,
  batch: readonly PendingDocument[],
  signal: AbortSignal,
): Promise<Prepared> {
  const documents = batch.map(hashChunks);
  const { vectors, unknown } = await lookUp(sources, documents);
  const embedded = await embed(sources, unknown, signal);
  return assemble(documents, vectors, embedded);
}

interface HashedDocument {
  readonly id: string;
  readonly version: bigint;
  readonly contentHash: Uint8Array | null;
  readonly chunks: readonly HashedChunk[];
}

interface HashedChunk {
  readonly chunk: TextChunk;
  readonly contentHash: Buffer;
  /** The hash in lower-case hex. */
  readonly key: string;
}

const hashChunks = ({ id, version, contentHash: documentHash = null, chunks }: PendingDocument): HashedDocument => ({
  id,
  version,
  contentHash: documentHash,
  chunks: chunks.map((chunk) => {
    const contentHash = chunkHash(chunk.embedText);
    return { chunk, contentHash, key: contentHash.toString("hex") };
  }),
});

type Vectors = Map<string, Float32Array>;

/** What has a vector already, and one chunk of each content that has none. */
async function lookUp(
  { recent, own, writer, sameSpace }: VectorSources,
  documents: readonly HashedDocument[],
): Promise<{ vectors: Vectors; unknown: ReadonlyMap<string, HashedChunk> }> {
  const vectors: Vectors = new Map();
  const unknown = new Map<string, HashedChunk>();
  const perhapsStored: Buffer[] = [];
  for (const { chunks } of documents)
    for (const chunk of chunks) {
      const { key, contentHash } = chunk;
      const vector = recent.get(key);
      if (vector) vectors.set(key, vector);
      else if (!unknown.has(key)) {
        unknown.set(key, chunk);
        if (own === null || own.mayHold(key)) perhapsStored.push(contentHash);
      }
    }
  if (perhapsStored.length > 0)
    for (const [key, vector] of await writer.findVectors(perhapsStored, sameSpace)) {
      vectors.set(key, vector);
      unknown.delete(key);
    }
  return { vectors, unknown };
}

interface Embedded {
  readonly vectors: Vectors;
  readonly refused: ReadonlyMap<string, { readonly code: string; readonly reason: string }>;
  readonly tokens: number;
  readonly stopped: EmbError | null;
}

async function embed(
  { meter, recent, own }: VectorSources,
  unknown: ReadonlyMap<string, HashedChunk>,
  signal: AbortSignal,
): Promise<Embedded> {
  const texts: string[] = [];
  for (const { chunk } of unknown.values()) texts.push(chunk.embedText);
  const { outcomes, tokens, stopped } = await meter.embed(texts, signal);
  if (outcomes.length !== texts.length && stopped === null)
    throw new EmbError("EMB_PROVIDER_RESPONSE_INVALID", `expected ${texts.length} vectors, got ${outcomes.length}`, {
      hint: "Check the provider's adapter with providerContract of @emb/providers/testing.",
    });
  const vectors: Vectors = new Map();
  const refused = new Map<string, { readonly code: string; readonly reason: string }>();
  let place = 0;
  for (const key of unknown.keys()) {
    const outcome = outcomes[place++];
    if (outcome === undefined) break; // stopped before it
    if (outcome instanceof Float32Array) {
      vectors.set(key, outcome);
      recent.add(key, outcome);
      own?.add(key);
    } else refused.set(key, outcome);
  }
  return { vectors, refused, tokens, stopped };
}

/** A document is committed whole or not at all. Pure. */
function assemble(
  batch: readonly HashedDocument[],
  known: ReadonlyMap<string, Float32Array>,
  { vectors, refused, tokens, stopped }: Embedded,
): Prepared {
  const vectorOf = (key: string) => vectors.get(key) ?? known.get(key);
  const isWhole = ({ chunks }: HashedDocument) =>
    chunks.every(({ key }) => vectorOf(key) !== undefined || refused.has(key));
  const cut = stopped === null ? -1 : batch.findIndex((document) => !isWhole(document));
  const whole = cut < 0 ? batch : batch.slice(0, cut);

  const failures: TextFailure[] = [];
  const fresh = new Set<string>();
  const documents = whole.map(({ id, version, contentHash: documentHash, chunks }): DocumentChunks => {
    const rows: Chunk[] = [];
    for (const [ordinal, { chunk, contentHash, key }] of chunks.entries()) {
      const { text, headingPath } = chunk;
      const vector = vectorOf(key);
      if (vector === undefined) {
        const { code, reason } = refused.get(key) ?? { code: "EMB_INTERNAL", reason: "no vector" };
        failures.push({ documentId: id, ordinal, code, reason });
      } else {
        if (vectors.has(key)) fresh.add(key);
        rows.push({ documentId: id, ordinal, contentHash, text, headingPath, vector });
      }
    }
    return { documentId: id, version, contentHash: documentHash, chunks: rows };
  });
  const chunks = chunksOf(documents);
  return {
    documents,
    failures,
    stopped,
    cursor: whole.at(-1)?.id ?? null,
    counters: {
      documents: whole.length,
      chunks,
      embedded: fresh.size,
      skipped: chunks - fresh.size,
      failed: failures.length,
      tokens,
    },
  };
}

const chunksOf = (documents: readonly { readonly chunks: readonly unknown[] }[]): number =>
  documents.reduce((sum, { chunks }) => sum + chunks.length, 0);
