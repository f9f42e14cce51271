import type { Tokenizer } from "@emb/providers";

const SPECIAL_TOKENS = 2;
const PIECES = /[A-Za-z0-9]{1,6}|[^\sA-Za-z0-9]/gu;

/** A tokenizer without a vocabulary: one token for each six letters of a word and for each other sign, and two around every text. */
export const createPlainTokenizer = (): Tokenizer => ({
  countTokens(text) {
    const tokens = SPECIAL_TOKENS + (text.match(PIECES)?.length ?? 0);
    return { tokens, exact: true, estimate: tokens };
  },
});
