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
// In quarters of a token: whole numbers are added in a third of the time.
const QUARTERS = 4;
const FURTHER_LETTER = 1;
const FOREIGN_LETTER = 2;
const FIRST_IDEOGRAPH = 0x2e80;

/** What a letter or digit adds as number 1, 2, ... of its word; the last entry stands for all that follow. */
const LETTER: Uint8Array = Uint8Array.from({ length: SHORT_WORD_LENGTH + 2 }, (_, place) =>
  place === 1 ? QUARTERS : place > SHORT_WORD_LENGTH ? FURTHER_LETTER : 0,
);

/** The offset, at most `to`, at which the text from `from` on reaches `tokens`; and the tokens up to there. */
export function estimateUpTo(text: string, from: number, to: number, tokens: number): { end: number; tokens: number } {
  const most = tokens * QUARTERS;
  let sum = 0;
  let wordLength = 0; // up to the first place where all further letters are alike
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < 128) {
      const kind = ASCII_KIND[code];
      if (kind === WORD) {
        if (wordLength <= SHORT_WORD_LENGTH) wordLength++;
        sum += LETTER[wordLength]!;
      } else {
        wordLength = 0;
        if (kind === SIGN) sum += QUARTERS;
      }
    } else {
      sum += code >= FIRST_IDEOGRAPH ? QUARTERS : FOREIGN_LETTER;
    }
    if (sum > most) return { end: at, tokens: sum / QUARTERS };
  }
  return { end: to, tokens: sum / QUARTERS };
}

export const estimateTokens = (text: string): number => estimateUpTo(text, 0, text.length, Infinity).tokens;
