import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type { Changes } from "@emb/store";
import { embedMetered } from "./embed-metered.js";
import type { RunMeter } from "./run-meter.js";

/** For changes that belong to no run: nothing limits them, and what each call took goes into the ledger of live changes. */
export const createLiveMeter = (meter: {
  changes: Pick<Changes, "recordSpend">;
  namespaceId: number;
  provider: EmbeddingProvider;
  tokenizer: Tokenizer;
}): RunMeter => ({
  async embed(texts, signal) {
    const { changes, namespaceId } = meter;
    const settle = async (spent: Parameters<Changes["recordSpend"]>[1]) => {
      if (spent.texts > 0) await changes.recordSpend(namespaceId, spent);
    };
    return { ...(await embedMetered(meter, texts, { signal, settle })), stopped: null };
  },
});
