import { setTimeout as sleep } from "node:timers/promises";

/** @throws the signal's own reason, as whatever else it ends */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  signal?.throwIfAborted();
}
