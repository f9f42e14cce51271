import { setMaxListeners } from "node:events";
import { backoffMs } from "./backoff.js";
import { halves, type Batch } from "./plan-batches.js";
import { ServiceAttempts, type Attempt, type BatchCalls, type ServiceSetup } from "./service-attempts.js";
import { MIN_BASE64_DIMS } from "./vector-rows.js";

/** What one batch has been through so far. */
interface Patience {
  retries: number;
  refusals: number;
  refusedWaitMs: number;
}

/** Brings the batches of a call to one service until each is answered. A batch is sent again only when it was not. */
export class ServiceClient {
  readonly #setup: ServiceSetup;
  readonly #attempts: ServiceAttempts;
  #base64: boolean;
  /** False while it is still to be found out whether the service knows the parameter. */
  #base64Settled: boolean;

  constructor(setup: ServiceSetup) {
    const { base64 } = setup.service;
    this.#setup = setup;
    this.#attempts = new ServiceAttempts(setup);
    this.#base64 = base64 !== "never" && setup.profile.dims >= MIN_BASE64_DIMS;
    this.#base64Settled = base64 !== "try" || !this.#base64;
  }

  /**
   * The first failure ends the other batches, and is thrown when they have ended.
   * @returns tokens that the service counted; null when it did not count for one of the batches
   * @throws EmbError of the attempts; EMB_PROVIDER_REJECTED with `index` for a text that is refused alone;
   *   EMB_PROVIDER_UNAVAILABLE and EMB_PROVIDER_RATE_LIMITED when patience is at its end; the signal's reason on abort
   */
  async deliver(calls: BatchCalls, batches: readonly Batch[], signal: AbortSignal): Promise<number | null> {
    signal.throwIfAborted();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal); // every request of the call listens
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let total: number | null = 0;
    let failure: { readonly error: unknown } | undefined;
    const waiting = batches.values();
    const work = async () => {
      try {
        for (const batch of waiting) {
          stop.signal.throwIfAborted();
          const tokens = await this.#deliverBatch(calls, batch, stop.signal);
          total = sum(total, tokens); // read only now: others have added theirs meanwhile
        }
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(batches.length, this.#setup.tuning.maxConcurrency) }, work));
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    signal.throwIfAborted();
    if (failure !== undefined) throw failure.error;
    return total;
  }

  async #deliverBatch(calls: BatchCalls, batch: Batch, signal: AbortSignal): Promise<number | null> {
    const patience: Patience = { retries: 0, refusals: 0, refusedWaitMs: 0 };
    let base64 = this.#base64;
    for (;;) {
      const attempt = await this.#attempts.attempt(calls, batch, base64, signal);
      if (attempt.kind === "accepted") {
        if (!this.#base64Settled) {
          this.#base64Settled = true;
          this.#base64 = base64;
        }
        calls.answered?.(batch, attempt.tokens);
        return attempt.tokens;
      }
      if (attempt.kind !== "refused") await this.#waitAfter(attempt, patience, calls.side, signal);
      else if (base64 && !this.#base64Settled)
        base64 = false; // perhaps it is the parameter that is refused
      else return this.#split(calls, batch, attempt, signal);
    }
  }

  /** Finds the text that is refused. One half after the other: when the first one holds it, the second is never sent. */
  async #split(
    calls: BatchCalls,
    batch: Batch,
    { status, reason }: Attempt & { kind: "refused" },
    signal: AbortSignal,
  ): Promise<number | null> {
    const texts = batch.end - batch.start;
    if (texts <= 1) {
      const index = texts === 1 ? batch.start : null;
      const error = this.#setup.failures.refused("EMB_PROVIDER_REJECTED", status, reason, index);
      if (index === null || calls.setAside === undefined) throw error;
      calls.setAside(index, error);
      return 0;
    }
    this.#setup.observer({ kind: "split", texts });
    let total: number | null = 0;
    for (const half of halves(batch)) total = sum(total, await this.#deliverBatch(calls, half, signal));
    return total;
  }

  async #waitAfter(
    attempt: Attempt & { kind: "failed" | "held" },
    patience: Patience,
    side: "query" | "document",
    signal: AbortSignal,
  ): Promise<void> {
    const { tuning, failures, observer } = this.#setup;
    const isRateLimit = attempt.kind === "held" ? attempt.by === "rate_limit" : attempt.why === "rate_limited";
    const wantedMs = attempt.kind === "held" ? attempt.waitMs : attempt.retryAfterMs;
    const tries = isRateLimit ? patience.refusals++ : patience.retries++;
    const delayMs = backoffMs(tries, tuning.random(), tuning.backoff, wantedMs);
    if (isRateLimit) {
      patience.refusedWaitMs += delayMs;
      if (patience.refusedWaitMs > tuning.maxRateLimitWaitMs[side])
        throw failures.rateLimited(patience.refusals, wantedMs);
    } else if (attempt.kind === "held") {
      if (!tuning.waitsInLine[side] || tries >= tuning.retries[side]) throw failures.breakerOpen(attempt.waitMs);
    } else if (tries >= tuning.retries[side] || delayMs > tuning.backoff.maxDelayMs * 2) {
      throw failures.unavailable(tries + 1, attempt.seen);
    }
    if (attempt.kind === "failed") observer({ kind: "retry", reason: attempt.why, delayMs });
    await tuning.sleep(delayMs, signal);
  }
}

const sum = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);
