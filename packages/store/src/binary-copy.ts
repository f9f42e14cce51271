/** PostgreSQL's binary COPY format. Source: PostgreSQL 18 documentation, COPY, "Binary Format". */
const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
const HEADER_BYTES = SIGNATURE.length + 8;
const TRAILER_BYTES = 2;
/** Batches differ in size by a little. */
const ROOM_TO_SPARE = 1.125;

/** Bytes of one row with these fields, each without its length word. */
export const rowBytes = (fields: number, fieldBytes: number): number => 2 + 4 * fields + fieldBytes;

/** Writes rows into exactly the size that was announced: into a buffer of that size, which can be moved to another thread, or into the room given. */
export class BinaryCopy {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #buffer: Buffer;
  readonly #view: DataView;
  #at = HEADER_BYTES;

  /**
   * @param size sum of `rowBytes` over all rows
   * @param room of rows that are written; where it is too small, a larger one is made
   */
  constructor(size: number, room?: ArrayBuffer) {
    const total = HEADER_BYTES + size + TRAILER_BYTES;
    const buffer =
      room === undefined
        ? new ArrayBuffer(total)
        : room.byteLength >= total
          ? room
          : new ArrayBuffer(Math.ceil(total * ROOM_TO_SPARE));
    this.bytes = new Uint8Array(buffer, 0, total);
    this.#buffer = Buffer.from(buffer, 0, total);
    this.#view = new DataView(buffer, 0, total);
    this.bytes.set(SIGNATURE);
    this.bytes.fill(0, SIGNATURE.length, HEADER_BYTES);
  }

  startRow(fields: number): void {
    this.#view.setInt16(this.#at, fields);
    this.#at += 2;
  }

  int32(value: number): void {
    this.#length(4);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  int64(value: bigint): void {
    this.#length(8);
    this.#view.setBigInt64(this.#at, value);
    this.#at += 8;
  }

  bool(value: boolean): void {
    this.#length(1);
    this.bytes[this.#at] = value ? 1 : 0;
    this.#at += 1;
  }

  raw(value: Uint8Array): void {
    this.#length(value.byteLength);
    this.bytes.set(value, this.#at);
    this.#at += value.byteLength;
  }

  text(value: string): void {
    const written = this.#buffer.write(value, this.#at + 4, "utf8");
    this.#length(written);
    this.#at += written;
  }

  /** jsonb: one byte of version, then text. */
  jsonb(value: string): void {
    const written = this.#buffer.write(value, this.#at + 5, "utf8");
    this.#length(written + 1);
    this.bytes[this.#at] = 1;
    this.#at += written + 1;
  }

  null(): void {
    this.#length(-1);
  }

  /** The view and the place of a field that the caller writes itself. */
  reserve(byteLength: number): { view: DataView; at: number } {
    this.#length(byteLength);
    const at = this.#at;
    this.#at += byteLength;
    return { view: this.#view, at };
  }

  /** @throws RangeError when the rows were not as long as announced */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#at !== this.bytes.byteLength - TRAILER_BYTES) {
      throw new RangeError(`announced ${this.bytes.byteLength - TRAILER_BYTES} bytes, wrote ${this.#at}`);
    }
    this.#view.setInt16(this.#at, -1);
    return this.bytes;
  }

  #length(byteLength: number): void {
    this.#view.setInt32(this.#at, byteLength);
    this.#at += 4;
  }
}
