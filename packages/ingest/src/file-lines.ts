import type { FileHandle } from "node:fs/promises";

const BUFFER_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface FileLine {
  /** Counts from 1. */
  readonly number: number;
  /** Without its newline; null when it is longer than the limit. */
  readonly bytes: Uint8Array | null;
  /** In bytes, of the whole line. */
  readonly length: number;
}

/** The lines of a file, holding at most one line and one buffer. A line over `maxBytes` is counted and let go. */
export async function* readLines(file: FileHandle, maxBytes: number): AsyncGenerator<FileLine> {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let parts: Buffer[] = [];
  let length = 0;
  let number = 1;
  const take = (part: Buffer): void => {
    length += part.length;
    if (length <= maxBytes) parts.push(Buffer.from(part));
    else parts = [];
  };
  const finish = (): FileLine => {
    const line = { number, bytes: length <= maxBytes ? Buffer.concat(parts) : null, length };
    parts = [];
    length = 0;
    number++;
    return line;
  };
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, BUFFER_BYTES);
    if (bytesRead === 0) break;
    let start = 0;
    for (let end = buffer.indexOf(NEWLINE); end >= 0 && end < bytesRead; end = buffer.indexOf(NEWLINE, start)) {
      take(buffer.subarray(start, end));
      start = end + 1;
      yield finish();
    }
    take(buffer.subarray(start, bytesRead));
  }
  if (length > 0) yield finish();
}
