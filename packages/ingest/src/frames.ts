import type { FramedBlock } from "./section.js";
import { lastUpTo } from "./offsets.js";
import type { TokenLimit } from "./token-limit.js";

/** The fences and tables of one section that may be cut with their frame repeated. */
export interface Frames {
  /** The block that `offset` would cut: start < offset < end. */
  around(offset: number): FramedBlock | null;
  /** The block that `offset` lies in: start <= offset < end. */
  holding(offset: number): FramedBlock | null;
}

export const NO_FRAMES: Frames = { around: () => null, holding: () => null };

const MIN_BODY_TOKENS = 2;

/** A block whose frame leaves no room for its body is left out: it is cut like text. */
export function createFrames(blocks: readonly FramedBlock[], limit: TokenLimit): Frames {
  if (blocks.length === 0) return NO_FRAMES;
  const starts = blocks.map((block) => block.start);
  const repeatable = new Map<FramedBlock, boolean>();
  const isRepeatable = (block: FramedBlock): boolean => {
    const known = repeatable.get(block);
    if (known !== undefined) return known;
    const fits = limit.countText(`${block.head}${block.tail}`) <= limit.room - MIN_BODY_TOKENS;
    repeatable.set(block, fits);
    return fits;
  };
  const holding = (offset: number): FramedBlock | null => {
    const block = blocks[lastUpTo(starts, offset)];
    return block !== undefined && offset < block.end && isRepeatable(block) ? block : null;
  };
  return {
    holding,
    around(offset) {
      const block = holding(offset);
      return block !== null && block.start < offset ? block : null;
    },
  };
}
