import type { Profile } from "@emb/manifest";
import { createChunker, type Chunker } from "@emb/ingest";
import type { Tokenizer } from "@emb/providers";

/**
 * The chunker of a profile: chunks of about `chunkTokens`, none longer than the model reads. Where tokens cannot be counted here,
 * chunks are sized by the estimate and held under the model's limit by the upper bound: sized by the bound, which counts bytes, they
 * would be four times too small. Its id then says so, since a machine with the model's tokenizer cuts elsewhere.
 */
export function profileChunker({ limits }: Profile, tokenizer: Tokenizer, chunkTokens: number): Chunker {
  const maxTokens = Math.min(chunkTokens, limits.maxInputTokens);
  const boundShare = maxTokens / limits.maxInputTokens;
  const { exact } = tokenizer.countTokens("");
  return createChunker({
    maxTokens,
    counter: exact ? undefined : "estimate",
    countTokens(text) {
      const count = tokenizer.countTokens(text);
      return count.exact ? count.tokens : Math.max(count.estimate, Math.ceil(count.tokens * boundShare));
    },
  });
}
