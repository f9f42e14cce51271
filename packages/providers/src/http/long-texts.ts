import type { Profile } from "@emb/manifest";
import { textTooLong } from "../text-guards.js";
import type { Tokenizer } from "../tokenizer.js";
import { maxTokens, SPECIAL_TOKENS } from "./batch-bounds.js";

/** Of a UTF-16 unit in UTF-8. */
const MAX_BYTES_PER_CHARACTER = 3;

/**
 * Refuses before anything is sent. `texts` are the `plain` ones with their prompts. Texts with fewer bytes than the model takes tokens are not counted; where tokens can only
 * be estimated, the service itself refuses.
 * @throws EmbError EMB_TEXT_TOO_LONG
 */
export async function refuseLongTexts(
  plain: readonly string[],
  texts: readonly string[],
  { limits: { maxInputTokens } }: Profile,
  tokenizer: (signal: AbortSignal) => Promise<Tokenizer>,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, text] of texts.entries()) {
    if (text.length * MAX_BYTES_PER_CHARACTER + SPECIAL_TOKENS <= maxInputTokens) continue;
    if (maxTokens(text) <= maxInputTokens) continue;
    const { tokens, exact } = (await tokenizer(signal)).countTokens(plain[index]!); // it adds the prompt by itself
    if (exact && tokens > maxInputTokens) throw textTooLong(index, tokens, maxInputTokens);
  }
}
