import { isEmbError } from "@emb/manifest";
import type { QueuedChange } from "@emb/store";

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** How long a change waits that was put off so many times before: doubled each time, up to a minute. */
export const waitAfterMs = (attempts: number): number => Math.min(FIRST_MS * 2 ** Math.min(attempts, 30), LONGEST_MS);

/**
 * What becomes of changes whose drain failed. Pure. They stay queued whatever it was: at once when the process is told to stop, else for a while. `rethrow`
 * when waiting alone does not help, so that somebody is told.
 */
export function decidePostponement(failed: {
  changes: readonly Pick<QueuedChange, "attempts">[];
  error: unknown;
  aborted: boolean;
}): { readonly waitMs: number; readonly rethrow: boolean } {
  const { changes, error, aborted } = failed;
  if (aborted) return { waitMs: 0, rethrow: true };
  const attempts = Math.max(0, ...changes.map((change) => change.attempts));
  return { waitMs: waitAfterMs(attempts), rethrow: !(isEmbError(error) && error.retryable) };
}
