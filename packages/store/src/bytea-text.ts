/** PostgreSQL's hex form of bytea, `\\x00ff`. */
export const writeHex = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;

/** @returns bytes in a buffer of their own: a pooled one would be copied to another thread whole */
export function readHex(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length - 2) / 2);
  Buffer.from(bytes.buffer).write(text.slice(2), "hex");
  return bytes;
}
