/**
 * p-values of a family, each made so large that all below alpha may be called real with a chance of alpha to be wrong in any.
 * Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 1979.
 * @returns in the order given
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).toSorted((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = pValues.map(() => 1);
  let most = 0;
  for (const [rank, i] of order.entries()) {
    most = Math.max(most, Math.min(1, pValues[i]! * (pValues.length - rank)));
    adjusted[i] = most;
  }
  return adjusted;
}
