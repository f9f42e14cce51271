import type { Store, Worker } from "@emb/store";

/** A worker reports every five seconds. */
const WITHIN_MS = 30_000;

/** Workers that showed a sign of life just now. */
export const liveWorkers = ({ workers }: Pick<Store, "workers">): Promise<readonly Worker[]> =>
  workers.list({ withinMs: WITHIN_MS });
