/** How many tokens a text has, as well as this machine can tell. */
export interface TokenCount {
  /** The count when `exact`, else an upper bound: the true count is never higher. What limits are held by. */
  readonly tokens: number;
  readonly exact: boolean;
  /** The likely count: `tokens` when exact, else a guess of at most `tokens`. What sizes and prices are planned by. */
  readonly estimate: number;
}

export const exactly = (tokens: number): TokenCount => ({ tokens, exact: true, estimate: tokens });

/**
 * Counts tokens as the model of one profile does. Synchronous: it stands in the inner loop of the chunker.
 * Counts include the special tokens that the model adds around a text, and the prompt of the given side.
 */
export interface Tokenizer {
  /** Tokens that the model reads for this document text. Linear in its length. */
  countTokens(text: string): TokenCount;
}
