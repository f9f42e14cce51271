import { normalCdf, normalQuantile } from "./distributions.js";

/** The chance of finding an effect that is there, for which numbers of queries are said. The usual convention (Cohen 1988). */
export const POWER = 0.8;

/**
 * Chance that a one-sided bound of `alpha` clears a limit that the true difference is `distance` beyond, both in the metric's unit.
 * Normal approximation.
 */
export function power(distance: number, standardError: number, alpha: number): number {
  if (standardError === 0) return distance > 0 ? 1 : 0;
  return normalCdf(distance / standardError - normalQuantile(1 - alpha));
}

/** How far beyond a limit the true difference must be to be found with the chance of POWER. 0 without variance. */
export const minimumDetectableEffect = (standardError: number, alpha: number): number =>
  (normalQuantile(1 - alpha) + normalQuantile(POWER)) * standardError;

/**
 * Queries of the same kind with which a bound would clear a limit with the chance of POWER, if the true difference is `distance` away from
 * it. Null when no number would: the difference is at the limit itself.
 */
export function queriesNeeded(
  distance: number,
  standardError: number,
  { queries, alpha }: { queries: number; alpha: number },
): number | null {
  if (!(distance > 0)) return null;
  const needed = Math.ceil(queries * (minimumDetectableEffect(standardError, alpha) / distance) ** 2);
  return Number.isSafeInteger(needed) ? Math.max(needed, 1) : null;
}

/** Cohen's d of pairs: mean difference over the differences' standard deviation. 0 when all are 0, null when all are equal to another number. */
export function effectSize(differences: ArrayLike<number>): number | null {
  const values = Array.from(differences);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (squares < 1e-24) return Math.abs(mean) < 1e-12 ? 0 : null;
  return values.length < 2 ? null : mean / Math.sqrt(squares / (values.length - 1));
}
