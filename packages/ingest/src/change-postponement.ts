import { isEmbError } from "@emb/manifest";
import type { QueuedChange } from "@emb/store";

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** How long a change waits that was put off so many times before: doubled each time, up to a minute. */
export const waitAfterMs = (attempts: number): number => Math.min(FIRST_MS * 2 ** Math.min(attempts, 30), LONGEST_MS);

/** Codes that speak of texts; an error without a code is a bug that some text may have met. */
const OF_TEXTS: ReadonlySet<string> = new Set([
  "EMB_DOCUMENT_INVALID",
  "EMB_TEXT_EMPTY",
  "EMB_TEXT_TOO_LONG",
  "EMB_PROVIDER_REJECTED",
  "EMB_PROVIDER_RESPONSE_INVALID",
  "EMB_VECTOR_INVALID",
  "EMB_INTERNAL",
]);

/**
 * What becomes of changes whose drain failed. Pure. `isolate`: one of them may be to blame, which is to be found, so that the others go on. Else they all
 * stay queued, at once when the process is told to stop, for a while otherwise; `rethrow` when waiting alone does not help, so that somebody is told.
 */
export function decidePostponement(failed: {
  changes: readonly Pick<QueuedChange, "attempts">[];
  error: unknown;
  aborted: boolean;
}): { readonly isolate: boolean; readonly waitMs: number; readonly rethrow: boolean } {
  const { changes, error, aborted } = failed;
  if (aborted) return { isolate: false, waitMs: 0, rethrow: true };
  const attempts = Math.max(0, ...changes.map((change) => change.attempts));
  return {
    isolate: !isEmbError(error) || OF_TEXTS.has(error.code),
    waitMs: waitAfterMs(attempts),
    rethrow: !(isEmbError(error) && error.retryable),
  };
}

/** Why a change is given up, in words that hold nothing of its text: an error without a code may quote it. */
export const whyGivenUp = (error: unknown): { code: string; reason: string } =>
  isEmbError(error)
    ? { code: error.code, reason: error.message }
    : { code: "EMB_INTERNAL", reason: error instanceof Error ? error.name : "unknown" };
