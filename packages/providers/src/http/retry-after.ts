/**
 * Reads a Retry-After header: whole seconds, or an HTTP date. Source: RFC 9110 section 10.2.3.
 * @param nowMs wall clock, since 1970
 * @returns how long to wait, at least 0; null when there is no header or it is nonsense
 */
export function readRetryAfter(value: string | undefined, nowMs: number): number | null {
  const text = value?.trim() ?? "";
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Number(text) * 1_000; // a fraction is not standard, and seen in the wild
  const atMs = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
