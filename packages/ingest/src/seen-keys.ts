import { createHash } from "node:crypto";

/** About 400 MB of keys. */
const MAX_KEYS = 10_000_000;
/** What a double holds exactly is 53 bits: among a million keys of 48, two are taken for one with a chance of 1 in 560. */
const KEY_BYTES = 6;

/**
 * Remembers which of very many keys were there, for estimates: 48 bits of each instead of the key. Past ten million it remembers no more, and takes
 * what comes for new.
 */
export class SeenKeys {
  readonly #keys = new Set<number>();

  /** False: it was there before. */
  addHash(hash: Uint8Array): boolean {
    const key = numberOf(hash);
    if (this.#keys.has(key)) return false;
    if (this.#keys.size < MAX_KEYS) this.#keys.add(key);
    return true;
  }

  add(text: string): boolean {
    return this.addHash(textHash(text));
  }

  has(text: string): boolean {
    return this.#keys.has(numberOf(textHash(text)));
  }
}

const textHash = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();

const numberOf = (hash: Uint8Array): number =>
  Buffer.from(hash.buffer, hash.byteOffset, KEY_BYTES).readUIntBE(0, KEY_BYTES);
