/** A commit is sized to this much embedding time, so that a kill costs little and progress is smooth even with a slow model. */
const COMMIT_EVERY_MS = 2000;
const FIRST_COMMIT_ROWS = 64;

/** Sizes commits by the embedding speed that a run has seen so far, over all its shards. */
export interface CommitPace {
  /** Chunks that the next batch should have. */
  rows(): number;
  /** Learns from how long the work on a batch of so many chunks takes. */
  measure<T>(chunks: number, work: () => Promise<T>): Promise<T>;
}

export function createCommitPace({
  commitRows,
  nowMs,
}: {
  /** Most chunks of one commit; a document is never split over two, so a large one may exceed it. */
  commitRows: number;
  nowMs: () => number;
}): CommitPace {
  let rows = Math.min(FIRST_COMMIT_ROWS, commitRows);
  return {
    rows: () => rows,
    async measure(chunks, work) {
      const startMs = nowMs();
      const result = await work();
      const fitting = (chunks / Math.max(nowMs() - startMs, 1)) * COMMIT_EVERY_MS;
      rows = Math.round(Math.min(commitRows, Math.max(FIRST_COMMIT_ROWS / 2, fitting)));
      return result;
    },
  };
}
