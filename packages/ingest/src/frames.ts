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

/** A fence that leaves no room for its body is left out: it is cut like text. A table header over a third of the room is not repeated. */
export function createFrames(blocks: readonly FramedBlock[], limit: TokenLimit): Frames {
  if (blocks.length === 0) return NO_FRAMES;
  const starts = blocks.map((block) => block.start);
  const measured = new Map<FramedBlock, FramedBlock | null>();
  const measure = (block: FramedBlock): FramedBlock | null => {
    const tokens = limit.countText(`${block.head}${block.tail}`);
    if (block.kind === "fence") return tokens <= limit.room - MIN_BODY_TOKENS ? block : null;
    return tokens <= limit.room / 3 ? block : { ...block, head: "" };
  };
  const holding = (offset: number): FramedBlock | null => {
    const block = blocks[lastUpTo(starts, offset)];
    if (block === undefined || offset >= block.end) return null;
    const known = measured.get(block);
    if (known !== undefined) return known;
    const framed = measure(block);
    measured.set(block, framed);
    return framed;
  };
  return {
    holding,
    around(offset) {
      const block = holding(offset);
      return block !== null && block.start < offset ? block : null;
    },
  };
}
