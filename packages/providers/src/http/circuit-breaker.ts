import type { BreakerState } from "../provider-events.js";

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open the first time; doubles with each failed probe. */
  readonly openMs: number;
  readonly maxOpenMs: number;
}

/**
 * Keeps requests from a service that is down.
 *
 * closed -> open after `failures` failures in a row -> half-open after `openMs` (one request may probe) -> closed when it
 * succeeds, open for twice as long when it does not. Only failures of the service count: no answer, or a status of 5xx.
 */
export class CircuitBreaker {
  #state: BreakerState = "closed";
  #failures = 0;
  #openMs: number;
  #openUntilMs = 0;

  constructor(
    private readonly settings: BreakerSettings,
    private readonly nowMs: () => number,
    private readonly onChange: (state: BreakerState) => void,
  ) {
    this.#openMs = settings.openMs;
  }

  /**
   * Asks to send one request; the caller then reports how it went, or that it was given up.
   * @returns 0 when it may be sent, else how long to wait before asking again
   */
  admit(): number {
    if (this.#state === "closed") return 0;
    const waitMs = this.#openUntilMs - this.nowMs();
    if (waitMs > 0) return waitMs;
    this.#openUntilMs = this.nowMs() + this.#openMs; // the others wait until this probe has had its chance
    this.#become("half_open");
    return 0;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openMs = this.settings.openMs;
    this.#become("closed");
  }

  failed(): void {
    this.#failures++;
    if (this.#state === "closed") {
      if (this.#failures >= this.settings.failures) this.#open();
    } else if (this.#state === "half_open") {
      this.#openMs = Math.min(this.settings.maxOpenMs, this.#openMs * 2);
      this.#open();
    }
  }

  #open(): void {
    this.#openUntilMs = this.nowMs() + this.#openMs;
    this.#become("open");
  }

  #become(state: BreakerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.onChange(state);
  }
}
