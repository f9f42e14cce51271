import { EmbError } from "@emb/manifest";
import { BinaryCopy, rowBytes } from "./binary-copy.js";
import { CHUNK_COLUMNS } from "./namespace-table.js";
import type { Chunk, DocumentChunks } from "./namespaces.js";
import { vectorBytes, writeVector, type VectorShape } from "./vector-bytes.js";

const HASH_BYTES = 32;
const FIXED_BYTES = 4 + HASH_BYTES + 8 + 4;

export interface ChunkRowsOptions {
  readonly shape: VectorShape;
  readonly sealId: number;
  readonly runId: string;
}

const brokenChunk = (chunk: Chunk, message: string) =>
  new EmbError("EMB_INTERNAL", `chunk ${chunk.ordinal} of document "${chunk.documentId}": ${message}`, {
    hint: "Report this: the chunks of a document must come in order.",
    context: { documentId: chunk.documentId, ordinal: chunk.ordinal },
  });

function checkChunk(document: DocumentChunks, chunk: Chunk, least: number): void {
  if (chunk.documentId !== document.documentId) throw brokenChunk(chunk, `came with document "${document.documentId}"`);
  if (!Number.isInteger(chunk.ordinal) || chunk.ordinal < least)
    throw brokenChunk(chunk, `expected an ordinal of at least ${least}`);
  if (chunk.contentHash.byteLength !== HASH_BYTES) {
    throw brokenChunk(chunk, `expected a content hash of ${HASH_BYTES} bytes, got ${chunk.contentHash.byteLength}`);
  }
}

/**
 * The chunks of these documents as rows of their namespace's table, in the order of CHUNK_COLUMNS; null when there is none.
 * @param room as of `BinaryCopy`
 * @throws EmbError EMB_VECTOR_INVALID, EMB_INTERNAL for chunks that are not in order
 */
export function encodeChunkRows(
  documents: readonly DocumentChunks[],
  options: ChunkRowsOptions,
  room?: ArrayBuffer,
): Uint8Array<ArrayBuffer> | null {
  const { shape, sealId, runId } = options;
  const embeddingBytes = vectorBytes(shape);
  const runBytes = Buffer.byteLength(runId);
  let size = 0;
  for (const document of documents) {
    const perRow = rowBytes(
      CHUNK_COLUMNS.length,
      FIXED_BYTES + embeddingBytes + runBytes + Buffer.byteLength(document.documentId),
    );
    let next = 0;
    for (const chunk of document.chunks) {
      checkChunk(document, chunk, next);
      next = chunk.ordinal + 1;
      size += perRow + Buffer.byteLength(chunk.headingPath) + Buffer.byteLength(chunk.text);
    }
  }
  if (size === 0) return null;

  const copy = new BinaryCopy(size, room);
  for (const document of documents) {
    for (const chunk of document.chunks) {
      copy.startRow(CHUNK_COLUMNS.length);
      copy.text(chunk.documentId);
      copy.int32(chunk.ordinal);
      copy.raw(chunk.contentHash);
      copy.int64(document.version);
      copy.int32(sealId);
      copy.text(runId);
      copy.text(chunk.headingPath);
      copy.text(chunk.text);
      writeVector(
        shape,
        chunk.vector,
        () => `chunk ${chunk.ordinal} of document "${chunk.documentId}"`,
        copy.reserve(embeddingBytes),
      );
    }
  }
  return copy.finish();
}
