import { watch } from "node:fs";
import { resolve } from "node:path";
import type { Settings } from "@emb/config";
import { openSource, type Source } from "@emb/ingest";

export type WatchSetting = Settings["ingest"]["watch"][number];

/** @throws EmbError EMB_SOURCE_MISSING, EMB_SOURCE_INVALID, EMB_USAGE */
export async function openWatched(settings: Settings, { source, table, query }: WatchSetting): Promise<Source> {
  const { maxDocumentBytes } = settings.ingest;
  if (table === null && query === null)
    return openSource(resolve(settings.paths.configDir, source), { maxDocumentBytes });
  const { createPostgresSource } = await import("@emb/ingest/postgres");
  const rows = query === null ? { table: table ?? "" } : { query };
  return createPostgresSource({ connectionString: source, rows, maxDocumentBytes });
}

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
