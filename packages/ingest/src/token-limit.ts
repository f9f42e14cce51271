import { EmbError } from "@emb/manifest";

const MIN_ROOM_TOKENS = 8;

/** How much a chunk may hold, by the tokenizer of the profile that will embed it. */
export interface TokenLimit {
  readonly maxTokens: number;
  /** Tokens that are in every count: the model's own and the prompt. */
  readonly overhead: number;
  /** Tokens left for text. */
  readonly room: number;
  /** Tokens of a whole input, overhead included. */
  count(text: string): number;
  /** Tokens of the text alone. */
  countText(text: string): number;
}

/** @throws EmbError EMB_CONFIG_INVALID when the limit leaves no room for text */
export function createTokenLimit(maxTokens: number, count: (text: string) => number): TokenLimit {
  const overhead = count("");
  const room = maxTokens - overhead;
  if (!Number.isSafeInteger(maxTokens) || room < MIN_ROOM_TOKENS) {
    throw new EmbError(
      "EMB_CONFIG_INVALID",
      `a chunk of at most ${maxTokens} tokens must leave at least ${MIN_ROOM_TOKENS} for text; the model and its prompt take ${overhead}`,
      {
        hint: "Raise the chunk limit, or shorten the profile's document prompt.",
        context: { max_tokens: maxTokens, overhead },
      },
    );
  }
  return { maxTokens, overhead, room, count, countText: (text) => count(text) - overhead };
}
