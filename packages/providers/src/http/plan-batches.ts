import { maxTokens, type BatchBounds } from "./batch-bounds.js";

/** Texts `start` to `end` (not included) of a call. */
export interface Batch {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts texts into batches, in order, as few as the bounds allow. Tokens are counted by their upper bound, the bytes, so that a
 * batch is never refused for its tokens and nothing is tokenised here. A text that alone is over the bound gets its own batch.
 */
export function planBatches(texts: readonly string[], bounds: BatchBounds): Batch[] {
  const batches: Batch[] = [];
  const { maxItems } = bounds;
  let start = 0;
  let tokens = 0;
  for (const [index, text] of texts.entries()) {
    const more = bounds.maxTokens === null ? 0 : maxTokens(text);
    if (
      index - start === maxItems ||
      (index > start && bounds.maxTokens !== null && tokens + more > bounds.maxTokens)
    ) {
      batches.push({ start, end: index });
      start = index;
      tokens = 0;
    }
    tokens += more;
  }
  if (start < texts.length) batches.push({ start, end: texts.length });
  return batches;
}

export const halves = ({ start, end }: Batch): [Batch, Batch] => {
  const middle = (start + end) >> 1;
  return [
    { start, end: middle },
    { start: middle, end },
  ];
};
