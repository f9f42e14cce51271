/**
 * Vectors embedded a moment ago, by content hash: a text that comes again before its first vector is committed is not embedded twice.
 * Two generations of half the bound each: when the younger one is full, the elder leaves whole. Older ones are found in the store.
 */
export class RecentVectors {
  readonly #mostBytes: number;
  #younger = new Map<string, Float32Array>();
  #elder: ReadonlyMap<string, Float32Array> = new Map();
  #youngerBytes = 0;

  /** @param maxBytes of vectors. A view keeps its matrix in memory: the matrices that the bound cuts through are held beyond it. */
  constructor(maxBytes: number) {
    this.#mostBytes = maxBytes / 2;
  }

  get(hash: string): Float32Array | undefined {
    return this.#younger.get(hash) ?? this.#elder.get(hash);
  }

  add(hash: string, vector: Float32Array): void {
    if (this.get(hash) !== undefined) return;
    if (this.#youngerBytes + vector.byteLength > this.#mostBytes) {
      this.#elder = this.#younger;
      this.#younger = new Map();
      this.#youngerBytes = 0;
    }
    this.#younger.set(hash, vector);
    this.#youngerBytes += vector.byteLength;
  }
}
