import type { EventEmitter } from "node:events";

/** How a worker is told to stop, in two degrees. */
export interface StopOrder {
  /** The first SIGTERM or SIGINT: take nothing new, commit what is under way. */
  readonly stopping: AbortSignal;
  /** The second one, or the limit: end at once. */
  readonly signal: AbortSignal;
  /** From now on, so many milliseconds lie between the two degrees. Before, the first order alone gives none. */
  limit(stopMs: number): void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** @param told where the signals arrive: `process` */
export function createStopOrder(told: Pick<EventEmitter, "on">): StopOrder {
  const stopping = new AbortController();
  const now = new AbortController();
  let stopMs = 0;
  for (const name of SIGNALS)
    told.on(name, () => {
      if (stopping.signal.aborted) {
        now.abort(new Error(`stopped at once by a second ${name}`));
        return;
      }
      stopping.abort(new Error(`stopped by ${name}`));
      setTimeout(() => now.abort(new Error(`not done ${stopMs} ms after ${name}`)), stopMs).unref();
    });
  return {
    stopping: stopping.signal,
    signal: now.signal,
    limit(ms) {
      stopMs = ms;
    },
  };
}
