/**
 * A guess at how many tokens a text has, hundreds of times cheaper than a tokenizer. It only chooses where to look: what a
 * chunk holds is decided by an exact count. Scale differs by model, so callers calibrate it.
 */
const BLANK = 0;
const WORD = 1;
const SIGN = 2;

const ASCII_KIND: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  code <= 0x20 || code === 0x7f ? BLANK : /[A-Za-z0-9]/.test(String.fromCharCode(code)) ? WORD : SIGN,
);

// Fitted by hand on English prose and PowerShell with WordPiece: within 20% of the exact count for most sections.
const SHORT_WORD_LENGTH = 6;
const TOKENS_PER_FURTHER_LETTER = 0.25;
const TOKENS_PER_FOREIGN_LETTER = 0.5;
const TOKENS_PER_IDEOGRAPH = 1;
const FIRST_IDEOGRAPH = 0x2e80;

/** The offset, at most `to`, at which the text from `from` on reaches `tokens`; and the tokens up to there. */
export function estimateUpTo(text: string, from: number, to: number, tokens: number): { end: number; tokens: number } {
  let sum = 0;
  let wordLength = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < 128) {
      const kind = ASCII_KIND[code];
      if (kind === WORD) {
        wordLength++;
        if (wordLength === 1) sum += 1;
        else if (wordLength > SHORT_WORD_LENGTH) sum += TOKENS_PER_FURTHER_LETTER;
      } else {
        wordLength = 0;
        if (kind === SIGN) sum += 1;
      }
    } else {
      sum += code >= FIRST_IDEOGRAPH ? TOKENS_PER_IDEOGRAPH : TOKENS_PER_FOREIGN_LETTER;
    }
    if (sum > tokens) return { end: at, tokens: sum };
  }
  return { end: to, tokens: sum };
}

export const estimateTokens = (text: string): number => estimateUpTo(text, 0, text.length, Infinity).tokens;
