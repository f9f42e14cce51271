export interface BackoffSettings {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/**
 * Full jitter: anything from 0 to a bound that doubles with each attempt, so that many clients do not come back together.
 * Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015-03-04.
 * @param attempt 0 for the first retry
 * @param random from 0 to below 1
 * @param retryAfterMs what the service asked for: waited in full, the jitter comes on top, at most the first delay. A service that
 *   refuses again after that is left alone at least as long as one that asked for nothing, so that a Retry-After of 0 that never ends
 *   is no busy loop.
 */
export function backoffMs(
  attempt: number,
  random: number,
  { firstDelayMs, maxDelayMs }: BackoffSettings,
  retryAfterMs: number | null,
): number {
  const ownMs = random * Math.min(maxDelayMs, firstDelayMs * 2 ** attempt);
  if (retryAfterMs === null) return ownMs;
  const askedMs = retryAfterMs + random * Math.min(firstDelayMs, retryAfterMs);
  return attempt === 0 ? askedMs : Math.max(askedMs, ownMs);
}
