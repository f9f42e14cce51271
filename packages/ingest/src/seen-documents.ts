/** Past so many it remembers no more: 32 MB of keys. */
const MAX_DOCUMENTS = 2 * 1024 * 1024;
const FIRST_PLACES = 1024;

/**
 * Which documents an intake has seen, so that those that are gone from their source can be told. Of each id it keeps a key of 64 bits: that a document
 * that is gone is taken for seen has a chance of one in ten million for a million of either.
 */
export class SeenDocuments {
  readonly #most: number;
  /** Two words for each place, both 0 where it is free; at most half of the places are taken. */
  #keys = new Uint32Array(2 * FIRST_PLACES);
  #count = 0;

  /** @param most ids that are remembered. @defaultValue 2,097,152 */
  constructor(most = MAX_DOCUMENTS) {
    this.#most = most;
  }

  /** False: there is no room for it, and it must be remembered elsewhere. */
  add(documentId: string): boolean {
    const [high, low] = keyOf(documentId);
    const place = this.#placeOf(high, low);
    if (this.#isTaken(place)) return true;
    if (this.#count === this.#most) return false;
    this.#keys[place] = high;
    this.#keys[place + 1] = low;
    if (++this.#count * 4 > this.#keys.length) this.#grow();
    return true;
  }

  has(documentId: string): boolean {
    return this.#isTaken(this.#placeOf(...keyOf(documentId)));
  }

  #isTaken = (place: number): boolean => (this.#keys[place]! | this.#keys[place + 1]!) !== 0;

  /** Where the key stands, or the free place where it belongs. */
  #placeOf(high: number, low: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let place = (low << 1) & mask;
    while ((keys[place] !== high || keys[place + 1] !== low) && this.#isTaken(place)) place = (place + 2) & mask;
    return place;
  }

  #grow(): void {
    const old = this.#keys;
    this.#keys = new Uint32Array(2 * old.length);
    for (let from = 0; from < old.length; from += 2) {
      const [high, low] = [old[from]!, old[from + 1]!];
      if ((high | low) === 0) continue;
      const place = this.#placeOf(high, low);
      this.#keys[place] = high;
      this.#keys[place + 1] = low;
    }
  }
}

/** Two mixes of 32 bits of the id's UTF-16 units: a twentieth of the time of SHA-256, and nobody gains by ids that meet. Never 0, 0. */
function keyOf(documentId: string): [number, number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < documentId.length; i++) {
    const unit = documentId.charCodeAt(i);
    a = Math.imul(a ^ unit, 2_654_435_761);
    b = Math.imul(b ^ unit, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return [a >>> 0, (b | 1) >>> 0];
}
