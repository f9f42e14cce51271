/** `exact` false: an upper bound, to be shown as an estimate; the true count is never higher. */
export interface TokenCount {
  readonly tokens: number;
  readonly exact: boolean;
}

/**
 * Counts tokens as the model of one profile does. Synchronous: it stands in the inner loop of the chunker.
 * Counts include the special tokens that the model adds around a text, and the prompt of the given side.
 */
export interface Tokenizer {
  /** Tokens that the model reads for this document text. Linear in its length. */
  countTokens(text: string): TokenCount;
}
