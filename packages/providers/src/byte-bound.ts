import type { TokenCount } from "./tokenizer.js";

/** A model puts at most two tokens at each end of a text, and its tokenizer may put a space before the first word. */
const SPECIAL_TOKENS = 4;

/**
 * "1 token ~= 4 characters of English". Source: help.openai.com, "What are tokens and how to count them", read 2026-11. Measured with
 * cl100k_base on docs-powershell: 4.2 bytes.
 */
export const BYTES_PER_TOKEN = 4;

/**
 * A token stands for at least one byte of the text that the model reads, which many models bring to NFKC before: that is longer for
 * some signs.
 */
export function boundByBytes(text: string): TokenCount {
  const own = Buffer.byteLength(text);
  const bytes = own === text.length ? own : Math.max(own, Buffer.byteLength(text.normalize("NFKC"))); // ASCII is NFKC
  return {
    tokens: bytes + SPECIAL_TOKENS,
    exact: false,
    estimate: Math.ceil(own / BYTES_PER_TOKEN) + SPECIAL_TOKENS,
  };
}
