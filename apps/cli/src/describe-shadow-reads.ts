import { overlapAtK } from "@emb/eval";
import type { KeptShadowRead, ShadowCounts, Store } from "@emb/store";

/** Newest reads whose answers are compared. */
const COMPARED = 1_000;

/** What a base's shadow reads came to, for each pair of profiles; no query's text. */
export async function describeShadowReads({ shadowReads }: Pick<Store, "shadowReads">, base: string) {
  const counts = await shadowReads.counts(base);
  const newest = counts.length === 0 ? [] : await shadowReads.list({ base, limit: COMPARED });
  return counts.map((row) => ({
    baseline: row.baseline,
    candidate: row.candidate,
    reads: row.reads,
    answered: row.answered,
    /** Of the documents found, on average over the newest reads; null: the candidate answered none of them. */
    overlap: meanOverlap(newest, row),
    oldest_at: row.oldestAt.toISOString(),
    newest_at: row.newestAt.toISOString(),
  }));
}

function meanOverlap(reads: readonly KeptShadowRead[], pair: ShadowCounts): number | null {
  const overlaps = reads
    .filter(({ baseline, candidate, outcome }) => {
      return outcome === "answered" && baseline.profile === pair.baseline && candidate.profile === pair.candidate;
    })
    .map(({ baseline, candidate, k }) =>
      overlapAtK(
        baseline.documents.map(({ id }) => id),
        candidate.documents.map(({ id }) => id),
        k,
      ),
    );
  return overlaps.length === 0 ? null : overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length;
}
