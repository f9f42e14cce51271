import { watch } from "node:fs";
import type { Settings } from "@emb/config";

export type WatchSetting = Settings["ingest"]["watch"][number];

/** Changes come in bursts: an editor writes a file in several steps, a checkout writes thousands. */
const QUIET_MS = 500;
/** A folder that is written to without a pause is read all the same. */
const MAX_WAIT_MS = 5_000;

/**
 * Calls `changed` once a folder or file has been quiet for a while after a change. A hint only: what the system does not tell, the next poll finds.
 * @returns ends the watch
 */
export function watchPath(path: string, changed: () => void, failed: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let firstMs: number | undefined;
  const later = () => {
    const nowMs = performance.now();
    firstMs ??= nowMs;
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        firstMs = undefined;
        changed();
      },
      Math.max(0, Math.min(QUIET_MS, firstMs + MAX_WAIT_MS - nowMs)),
    );
  };
  try {
    const watcher = watch(path, { recursive: true, persistent: false }, later);
    watcher.on("error", failed);
    return () => {
      clearTimeout(timer);
      watcher.close();
    };
  } catch (error) {
    failed(error);
    return () => {};
  }
}
