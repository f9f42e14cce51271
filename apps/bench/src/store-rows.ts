import { createHash } from "node:crypto";
import type { DocumentChunks } from "@emb/store";

export const DIMS = 384;
const TEXT_CHARACTERS = 490;

/** Numbers from 0 to 1, the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function createText(random: () => number): (row: number) => string {
  const letters = (count: number) =>
    Array.from({ length: count }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join("");
  const words = Array.from({ length: 4_000 }, () => letters(2 + Math.floor(random() * 9)));
  return (row) => {
    let text = `chunk ${row}:`;
    while (text.length < TEXT_CHARACTERS) text += ` ${words[Math.floor(random() * words.length)]!}`;
    return text.slice(0, TEXT_CHARACTERS);
  };
}

/** Distinct ASCII texts of 490 bytes and unit vectors that are views into one matrix, as documents in order of id. */
export function makeDocuments(rows: number, chunksPerDocument: number, version: bigint): DocumentChunks[] {
  const random = createRandom(12_345);
  const textOf = createText(random);
  const matrix = Float32Array.from({ length: rows * DIMS }, () => random() - 0.5);
  for (let row = 0; row < rows; row++) {
    const vector = matrix.subarray(row * DIMS, (row + 1) * DIMS);
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < DIMS; i++) vector[i]! /= norm;
  }
  return Array.from({ length: rows / chunksPerDocument }, (_, document) => {
    const documentId = `guides/section-${String(Math.floor(document / 100)).padStart(4, "0")}/page-${String(document).padStart(6, "0")}.md`;
    const chunks = Array.from({ length: chunksPerDocument }, (__, ordinal) => {
      const row = document * chunksPerDocument + ordinal;
      const text = textOf(row);
      const contentHash = new Uint8Array(createHash("sha256").update(text).digest());
      return {
        documentId,
        ordinal,
        contentHash,
        text,
        headingPath: "Guides > Section",
        vector: matrix.subarray(row * DIMS, (row + 1) * DIMS),
      };
    });
    return { documentId, version, chunks };
  });
}
