import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import { embedIsolating } from "./embed-isolating.js";
import { costOf } from "./plan.js";

/** What a call gave to the model and was answered. */
export interface Spent {
  readonly texts: number;
  readonly tokens: number;
  /** null: the price is unknown. */
  readonly costUsd: number | null;
}

/**
 * One call, settled whether it ends well or not: it may have been answered in part.
 * @throws what the provider throws, and what `settle` does
 */
export async function embedMetered(
  { provider, tokenizer }: { provider: EmbeddingProvider; tokenizer: Tokenizer },
  texts: readonly string[],
  { signal, settle }: { signal: AbortSignal; settle: (spent: Spent) => Promise<void> },
) {
  const spent = { texts: 0, tokens: 0 };
  const onCall = (answered: readonly string[], told: number | null) => {
    spent.texts += answered.length;
    // a service that does not say is taken to have read what the tokenizer counts
    spent.tokens += told ?? answered.reduce((sum, text) => sum + tokenizer.countTokens(text).estimate, 0);
  };
  try {
    return { outcomes: await embedIsolating(provider, texts, { signal, onCall }), tokens: spent.tokens };
  } finally {
    await settle({ ...spent, costUsd: costOf(spent.tokens, provider.profile) });
  }
}
