/** A queue for a number of places that changes with time: first come, first served. */
export class Permits {
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly limit: () => number) {}

  get taken(): number {
    return this.#taken;
  }

  /** Rejects with the signal's reason, and then takes no place. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < this.limit() && this.#waiting.size === 0) {
      this.#taken++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(admit);
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the caller's own reason
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(admit);
    });
  }

  giveBack(): void {
    this.#taken--;
    for (const admit of this.#waiting) {
      if (this.#taken >= this.limit()) return;
      this.#waiting.delete(admit);
      this.#taken++;
      admit();
    }
  }
}
