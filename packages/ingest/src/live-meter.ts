import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type { Changes } from "@emb/store";
import { embedIsolating } from "./embed-isolating.js";
import { costOf } from "./plan.js";
import type { RunMeter } from "./run-meter.js";

/**
 * For changes that belong to no run: nothing limits them, and what each call took goes into the ledger of live changes, also when the call fails after
 * it was answered in part.
 */
export const createLiveMeter = (meter: {
  changes: Pick<Changes, "recordSpend">;
  namespaceId: number;
  provider: EmbeddingProvider;
  tokenizer: Tokenizer;
}): RunMeter => ({
  async embed(texts, signal) {
    const { changes, namespaceId, provider, tokenizer } = meter;
    let answered = 0;
    let tokens = 0;
    const onCall = (of: readonly string[], told: number | null) => {
      answered += of.length;
      // a service that does not say is taken to have read what the tokenizer counts
      tokens += told ?? of.reduce((sum, text) => sum + tokenizer.countTokens(text).estimate, 0);
    };
    try {
      return { outcomes: await embedIsolating(provider, texts, { signal, onCall }), tokens, stopped: null };
    } finally {
      if (answered > 0)
        await changes.recordSpend(namespaceId, {
          texts: answered,
          tokens,
          costUsd: costOf(tokens, provider.profile),
        });
    }
  },
});
