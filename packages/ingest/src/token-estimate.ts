/**
 * A guess at how many tokens a text has, hundreds of times cheaper than a tokenizer. It only chooses where to look: what a
 * chunk holds is decided by an exact count. Scale differs by model, so callers calibrate it.
 */

// Fitted by hand on English prose and PowerShell with WordPiece: within 20% of the exact count for most sections.
const SHORT_WORD_LENGTH = 6;
// In quarters of a token: whole numbers are added in a third of the time.
const QUARTERS = 4;
const FURTHER_LETTER = 1;
const FOREIGN_LETTER = 2;
const FIRST_IDEOGRAPH = 0x2e80;

const ASCII = 128;
const TOKENS_MASK = ASCII - 1;

/**
 * For each place in a word, up to the first at which all further letters are alike, and each ASCII character after it: the place that follows, times 128, and the
 * quarters of a token that the character adds. One look for each character, where deciding takes three times as long.
 */
const STEPS: Uint16Array = Uint16Array.from({ length: (SHORT_WORD_LENGTH + 2) * ASCII }, (_, step) => {
  const code = step % ASCII;
  if (/[A-Za-z0-9]/.test(String.fromCharCode(code))) {
    const place = Math.min(Math.floor(step / ASCII) + 1, SHORT_WORD_LENGTH + 1);
    return place * ASCII + (place === 1 ? QUARTERS : place > SHORT_WORD_LENGTH ? FURTHER_LETTER : 0);
  }
  const blank = code <= 0x20 || code === 0x7f;
  return blank ? 0 : QUARTERS;
});

/** The offset, at most `to`, at which the text from `from` on reaches `tokens`; and the tokens up to there. */
export function estimateUpTo(text: string, from: number, to: number, tokens: number): { end: number; tokens: number } {
  const most = tokens * QUARTERS;
  let sum = 0;
  let place = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < ASCII) {
      const step = STEPS[place + code]!;
      sum += step & TOKENS_MASK;
      place = step - (step & TOKENS_MASK);
    } else {
      sum += code >= FIRST_IDEOGRAPH ? QUARTERS : FOREIGN_LETTER;
    }
    if (sum > most) return { end: at, tokens: sum / QUARTERS };
  }
  return { end: to, tokens: sum / QUARTERS };
}

export const estimateTokens = (text: string): number => estimateUpTo(text, 0, text.length, Infinity).tokens;
