import { endianness } from "node:os";

const BYTES_PER_NUMBER = Float32Array.BYTES_PER_ELEMENT;

/** Below this a name or an id could pass for a vector, and there is nothing to gain. */
export const MIN_BASE64_DIMS = 16;

/** Characters of `dims` float32 in padded base64. */
export const base64Length = (dims: number): number => 4 * Math.ceil((dims * BYTES_PER_NUMBER) / 3);

/** The same without the padding. */
export const base64Digits = (dims: number): number => Math.ceil((dims * BYTES_PER_NUMBER * 4) / 3);

/** How many float32 a text holds that looks like a vector in base64; 0 when it does not. */
export function dimsOfBase64(text: string): number {
  const dims = Buffer.byteLength(text, "base64") / BYTES_PER_NUMBER;
  return dims >= MIN_BASE64_DIMS && Number.isInteger(dims) && /^[\w+/-]+=*$/.test(text) ? dims : 0;
}

/** Where the vectors of one answer go, in the order in which they stand in it. */
export class VectorRows {
  #numbers: Float32Array;
  #bytes: Buffer;
  #count = 0;

  /**
   * @param numbers room for the rows expected, written in place
   * @param maxRows more rows than this are refused; beyond the room given, the rows move to a larger array
   */
  constructor(
    numbers: Float32Array,
    readonly dims: number,
    readonly maxRows: number,
  ) {
    this.#numbers = numbers;
    this.#bytes = bytesOf(numbers);
  }

  get count(): number {
    return this.#count;
  }

  /** Row-major; rows from `count` on are undefined. */
  get numbers(): Float32Array {
    return this.#numbers;
  }

  /** Position in `numbers` of the row to write next; -1 when there are too many. */
  get next(): number {
    if (this.#count >= this.maxRows) return -1;
    const start = this.#count * this.dims;
    if (start + this.dims > this.#numbers.length) this.#grow();
    return start;
  }

  /** The row at `next` is written. @returns its number */
  keep(): number {
    return this.#count++;
  }

  /** Forgets the rows; their room is used again. */
  clear(): void {
    this.#count = 0;
  }

  /** @returns whether `text` is base64, padded or not, of exactly one row, which then stands at `next` */
  writeBase64(text: string): boolean {
    const start = this.next;
    if (start < 0 || this.dims < MIN_BASE64_DIMS) return false;
    const size = this.dims * BYTES_PER_NUMBER;
    const digits = base64Digits(this.dims);
    const isPadded = text.length > digits;
    if (text.length < digits || (isPadded && text.slice(digits) !== "=".repeat(base64Length(this.dims) - digits)))
      return false;
    // A decoder skips what is no base64, so a full row from so many digits means that every one of them was.
    if (this.#bytes.write(text, start * BYTES_PER_NUMBER, size, "base64") !== size) return false;
    if (endianness() === "BE") this.#bytes.subarray(start * BYTES_PER_NUMBER, start * BYTES_PER_NUMBER + size).swap32();
    return true;
  }

  #grow(): void {
    const grown = new Float32Array(Math.max(this.dims, Math.min(this.#numbers.length * 2, this.maxRows * this.dims)));
    grown.set(this.#numbers.subarray(0, this.#count * this.dims));
    this.#numbers = grown;
    this.#bytes = bytesOf(grown);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
