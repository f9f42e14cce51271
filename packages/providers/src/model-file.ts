import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EmbError } from "@emb/manifest";

export interface ModelFileOptions {
  /** Makes the bytes of the file. Equal on every call, so that two processes may write at once. */
  readonly build: () => Promise<Uint8Array>;
  /** Told when a damaged file is replaced. */
  readonly onWarning: (message: string) => void;
}

/**
 * Bytes of the model file at `path`, checked against the SHA-256 kept beside it in `<path>.sha256`. Builds the file when it
 * is missing or damaged; a file that fails the check is never returned.
 * @throws EmbError EMB_MODEL_UNAVAILABLE when the file cannot be read or written
 */
export async function openModelFile(path: string, { build, onWarning }: ModelFileOptions): Promise<Uint8Array> {
  const sumPath = `${path}.sha256`;
  const [bytes, sum] = await Promise.all([readIfThere(path), readIfThere(sumPath)]);
  if (bytes !== null && sum !== null) {
    if (sha256(bytes) === sum.toString("utf8").trim()) return bytes;
    onWarning(`The model file ${path} does not match its SHA-256; it is built again.`);
  }
  const built = await build();
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeAtomically(path, built);
    await writeAtomically(sumPath, Buffer.from(`${sha256(built)}\n`)); // last: without it the file does not count
  } catch (cause) {
    throw new EmbError("EMB_MODEL_UNAVAILABLE", `The model file ${path} could not be written.`, {
      hint: "Free space there, or set EMB_DATA_DIR to a folder that can be written.",
      context: { path, size_bytes: built.byteLength },
      cause,
    });
  }
  return built;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new EmbError("EMB_MODEL_UNAVAILABLE", `The model file ${path} could not be read.`, {
      hint: "Check its permissions, or set EMB_DATA_DIR to another folder.",
      context: { path },
      cause: error,
    });
  }
}

/** Readers see the old bytes or the new ones, also after a crash. */
async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
