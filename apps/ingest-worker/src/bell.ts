/** Wakes whoever waits. A ring while nobody waits is kept for the next one to wait, so that none is missed. */
export interface Bell {
  ring(): void;
  /** Resolves when it is rung, when the time is over, or when the signal is aborted; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  let rung = false;
  let wake = () => {};
  return {
    ring() {
      rung = true;
      wake();
    },
    async wait(ms, signal) {
      if (!rung && !signal.aborted)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(done, ms);
          function done() {
            clearTimeout(timer);
            signal.removeEventListener("abort", done);
            resolve();
          }
          wake = done;
          signal.addEventListener("abort", done, { once: true });
        });
      rung = false;
      wake = () => {};
    },
  };
}
