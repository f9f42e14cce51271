import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Refusal } from "./document-text.js";

// Never through a link that took the file's place after it was listed; never waiting for the writer of a pipe. Windows has neither flag.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The bytes of a file of at most `maxBytes`. Nothing of a larger one is read. */
export async function readDocumentFile(path: string, maxBytes: number): Promise<{ bytes: Uint8Array } | Refusal> {
  try {
    const handle = await open(path, FLAGS);
    try {
      return await readWithin(handle, maxBytes);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable(error);
  }
}

async function readWithin(handle: FileHandle, maxBytes: number): Promise<{ bytes: Uint8Array } | Refusal> {
  const stat = await handle.stat();
  if (!stat.isFile()) return { code: "EMB_DOCUMENT_UNREADABLE", reason: "expected a file, found something else" };
  if (stat.size > maxBytes) return tooLarge(maxBytes, stat.size);
  // One byte more than it had: a file that grows meanwhile shows itself.
  let bytes = Buffer.allocUnsafe(stat.size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
    if (bytesRead === 0) return { bytes: bytes.subarray(0, length) };
    length += bytesRead;
    if (length > maxBytes) return tooLarge(maxBytes, length);
    if (length === bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(bytes.length)]);
  }
}

export const tooLarge = (maxBytes: number, seenBytes: number): Refusal => ({
  code: "EMB_DOCUMENT_TOO_LARGE",
  reason: `expected at most ${maxBytes} bytes, found at least ${seenBytes}`,
});

/** A refusal for what the file system answered. */
export function unreadable(error: unknown): Refusal {
  const code = systemCode(error);
  return {
    code: "EMB_DOCUMENT_UNREADABLE",
    reason: REASONS[code] ?? `expected to read it, the file system answered ${code}`,
  };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "expected a file, found none: it went away while the source was read, or a link leads nowhere (ENOENT)",
  EACCES: "expected to read it, permission was denied (EACCES)",
  EPERM: "expected to read it, permission was denied (EPERM)",
  ELOOP: "expected a file, found a link that leads to itself (ELOOP)",
  EISDIR: "expected a file, found a folder (EISDIR)",
};

export const systemCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "an unknown error";
