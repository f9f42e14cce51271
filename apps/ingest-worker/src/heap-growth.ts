import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** The engine looks for garbage when the heap is three times what was alive the last time. */
export const HEAP_GROWTH = "--heap-growing-percent=200";
/** Below it the engine lets the heap grow to twice what is alive at most, by itself. Source: V8, heap-controller.cc. */
const LARGE_HEAP_BYTES = 2 * 1024 ** 3;

/**
 * A fill makes a little garbage for hours, and the engine lets the heap of a small process grow to four times what is alive. Three times takes a tenth of
 * the process's memory away, and no processor time that shows; twice would take a fifth away, for an eighth more processor time (apps/bench, 100,000 chunks,
 * 2026-11-29). For the whole process: called by an app, never by a package.
 */
export function boundHeapGrowth(): void {
  if (getHeapStatistics().heap_size_limit >= LARGE_HEAP_BYTES) setFlagsFromString(HEAP_GROWTH);
}
