/** Requests at once before anything is known. A service that answers without refusing is never asked less than this. */
const FIRST_LIMIT = 8;
/** Requests that wait inside the service rather than being worked on: fewer, and more are sent; more, and fewer are. */
const FEW_QUEUED = 4;
const MANY_QUEUED = 10;
/** The shortest round trip is forgotten at this rate for each answer, so that a service that became slower is not held to it. */
const FORGETTING = 1.0001;

/**
 * How many requests may be under way at once. Pure state; the caller tells how each request went.
 *
 * - Growth: one more for each answer while the service keeps up, doubling with each round trip, as TCP's slow start. At the
 *   first sign of a queue back to what the service was working on, then one more or less for each window. A queue shows as
 *   round trips longer than the shortest (TCP Vegas).
 * - Refusals (429, 503): the limit falls by half of the share of refusals in a window (DCTCP), so that a rare refusal costs
 *   little, and a service that refuses everything is soon asked by one request at a time.
 */
export class AdaptiveLimit {
  #limit: number;
  #starting = true;
  #shortestMs = Infinity;
  #answered = 0;
  #refused = 0;

  constructor(private readonly max: number) {
    this.#limit = Math.min(FIRST_LIMIT, max);
  }

  /** At least 1. */
  get limit(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  /** @param underWay requests at the moment of the answer, this one included */
  answered(roundTripMs: number, underWay: number): void {
    this.#shortestMs = Math.min(roundTripMs, this.#shortestMs * FORGETTING);
    const queued = underWay * (1 - this.#shortestMs / roundTripMs);
    if (this.#refused === 0 && underWay >= this.limit) {
      if (queued > MANY_QUEUED) {
        const lower = this.#starting ? underWay - queued + FEW_QUEUED : this.#limit - 1 / this.#limit;
        this.#starting = false;
        this.#limit = Math.max(Math.min(FIRST_LIMIT, this.#limit), lower);
      } else if (this.#starting || queued < FEW_QUEUED) {
        this.#limit = Math.min(this.max, this.#limit + (this.#starting ? 1 : 1 / this.#limit));
      }
    }
    this.#closeWindow(1, 0);
  }

  refused(): void {
    this.#starting = false;
    this.#closeWindow(1, 1);
  }

  #closeWindow(answered: number, refused: number): void {
    this.#answered += answered;
    this.#refused += refused;
    if (this.#answered < this.limit) return;
    this.#limit = Math.max(1, this.#limit * (1 - this.#refused / this.#answered / 2));
    this.#answered = 0;
    this.#refused = 0;
  }
}
