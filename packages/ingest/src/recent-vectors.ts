/**
 * Vectors embedded a moment ago, by content hash: a text that comes again before its first vector is committed is not embedded twice.
 * Bounded by bytes; the oldest leave first, and with its last vector a matrix leaves. Older ones are found in the store.
 */
export class RecentVectors {
  readonly #vectors = new Map<string, Float32Array>();
  readonly #maxBytes: number;
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(hash: string): Float32Array | undefined {
    return this.#vectors.get(hash);
  }

  /** A view keeps its matrix in memory: vectors of one matrix come together, so at most one matrix is held beyond the bound. */
  add(hash: string, vector: Float32Array): void {
    if (this.#vectors.has(hash)) return;
    this.#vectors.set(hash, vector);
    this.#sizeBytes += vector.byteLength;
    for (const [oldest, dropped] of this.#vectors) {
      if (this.#sizeBytes <= this.#maxBytes) break;
      this.#vectors.delete(oldest);
      this.#sizeBytes -= dropped.byteLength;
    }
  }
}
