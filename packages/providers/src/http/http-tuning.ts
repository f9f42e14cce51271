import { setTimeout as sleep } from "node:timers/promises";
import type { Side } from "@emb/manifest";
import type { BackoffSettings } from "./backoff.js";
import type { BreakerSettings } from "./circuit-breaker.js";

/** How patient the client of a service is, and its clock, randomness and waiting. Everything has a default. */
export interface HttpTuning {
  /** Requests under way at once, at most; the client finds its own number below it. */
  readonly maxConcurrency: number;
  /** One request, from sending to the last byte of its answer. */
  readonly timeoutMs: Readonly<Record<Side, number>>;
  /** How often a batch is sent again after no answer or a status of 5xx. By default a query's caller is waiting, so it gives up early. */
  readonly retries: Readonly<Record<Side, number>>;
  /** How long a batch waits in all for a service that answers 429. */
  readonly maxRateLimitWaitMs: Readonly<Record<Side, number>>;
  /** Whether a batch waits for its place in the rate limits that processes share, and while the breaker is open. */
  readonly waitsInLine: Readonly<Record<Side, boolean>>;
  readonly backoff: BackoffSettings;
  readonly breaker: BreakerSettings;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Since 1970; only a Retry-After that is a date is held against it. */
  readonly wallClockMs: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const DEFAULT_TUNING: HttpTuning = {
  maxConcurrency: 64,
  timeoutMs: { query: 10_000, document: 120_000 },
  retries: { query: 2, document: 6 },
  maxRateLimitWaitMs: { query: 2_000, document: 300_000 },
  waitsInLine: { query: false, document: true },
  backoff: { firstDelayMs: 200, maxDelayMs: 20_000 },
  breaker: { failures: 5, openMs: 5_000, maxOpenMs: 60_000 },
  nowMs: () => performance.now(),
  wallClockMs: () => Date.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};

const asDocuments = <T>({ document }: Readonly<Record<Side, T>>) => ({ query: document, document });

/**
 * For a fill or a verification: nobody waits for the answers to the queries that it asks, and a service that is busy for a moment must not end what took
 * hours.
 */
export const PATIENT_QUERIES = {
  timeoutMs: asDocuments(DEFAULT_TUNING.timeoutMs),
  retries: asDocuments(DEFAULT_TUNING.retries),
  maxRateLimitWaitMs: asDocuments(DEFAULT_TUNING.maxRateLimitWaitMs),
  waitsInLine: asDocuments(DEFAULT_TUNING.waitsInLine),
} satisfies Partial<HttpTuning>;
