import { expect, it } from "vitest";
import { encodeChunkRows } from "./chunk-rows.js";
import type { DocumentChunks } from "./namespaces.js";
import { chunkOf } from "./testing/sealed-sample.js";

const shape = { dims: 3, storage: "vector", similarity: "cosine" } as const;
const rows = (count: number): DocumentChunks[] => [
  {
    documentId: "päth",
    version: 7n,
    chunks: Array.from({ length: count }, (_, n) => chunkOf("päth", n, [1, n, -1], `Größe ${n}`)),
  },
];
const encode = (count: number, room?: ArrayBuffer) =>
  encodeChunkRows(rows(count), { shape, sealId: 3, runId: "r" }, room)!;

it("rows written into a room that held others are the same, byte for byte", () => {
  const first = encode(9);
  const room = first.buffer;
  first.fill(0xa5);
  for (const count of [9, 4, 1]) {
    const again = encode(count, room);
    expect(again.buffer).toBe(room);
    expect(Buffer.from(again).equals(encode(count))).toBe(true);
    new Uint8Array(room).fill(0xa5);
  }
});

it("a room that is too small is replaced by one with some to spare; without a room there is none to spare", () => {
  const small = encode(2).buffer;
  const larger = encode(40, small);
  expect(larger.buffer).not.toBe(small);
  expect(larger.buffer.byteLength).toBeGreaterThan(larger.byteLength);
  expect(encode(41, larger.buffer).buffer).toBe(larger.buffer);
  expect(Buffer.from(larger.slice()).equals(encode(40))).toBe(false); // the room holds 41 by now
  const exact = encode(40);
  expect(exact.buffer.byteLength).toBe(exact.byteLength);
});
