import type { Duty, WorkerContext } from "./duty.js";

/** Between two looks into the queue of wake-ups: one row of an index is read. */
const LOOK_MS = 1_000;

/** Lets the other duties look for work as soon as somebody made some, in whatever process. */
export const createWakeDuty = ({ store, wake }: WorkerContext): Duty => ({
  name: "wake",
  lookMs: LOOK_MS,
  async step() {
    if (await store.wakeups.take()) wake();
    return false; // the other hints are for other workers
  },
});
