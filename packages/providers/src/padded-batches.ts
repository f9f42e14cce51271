export interface BatchBounds {
  readonly maxItems: number;
  /** Tokens of one batch, padding included: items times its longest text. A longer text makes a batch of its own. */
  readonly maxPaddedTokens: number;
}

/**
 * Cuts texts of these token counts into batches of similar length, so that little is padded. Each index stands in exactly
 * one batch. Longest first: memory peaks in the first batch, and a run that does not fit fails at once.
 */
export function planPaddedBatches(lengths: readonly number[], { maxItems, maxPaddedTokens }: BatchBounds): number[][] {
  const order = lengths.map((_, index) => index).toSorted((a, b) => lengths[b]! - lengths[a]!);
  const batches: number[][] = [];
  for (let start = 0; start < order.length;) {
    const items = Math.max(1, Math.min(maxItems, Math.floor(maxPaddedTokens / Math.max(1, lengths[order[start]!]!))));
    batches.push(order.slice(start, start + items));
    start += items;
  }
  return batches;
}
