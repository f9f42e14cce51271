import assert from "node:assert/strict";
import type { EmbeddingProvider } from "../provider.js";
import type { Tokenizer } from "../tokenizer.js";

/** The provider whose limit the tokenizer is to predict, and texts as in `ProviderFixtures`. */
export interface TokenizerFixtures {
  readonly provider: EmbeddingProvider;
  readonly texts: readonly string[];
  readonly atLimit: string;
  readonly tooLong: string;
}

export type TokenizerCheck = (tokenizer: Tokenizer, fixtures: TokenizerFixtures) => Promise<void>;

/** Every promise of `Tokenizer`, one check each. */
export const tokenizerContract = {
  "counts whole tokens": async (tokenizer, { texts }) => {
    for (const text of texts) {
      const { tokens } = tokenizer.countTokens(text);
      assert.ok(Number.isInteger(tokens) && tokens > 0, `${tokens}`);
    }
  },
  "estimates at most what it bounds, and what it counts when exact": async (tokenizer, { texts, tooLong }) => {
    for (const text of [...texts, tooLong]) {
      const { tokens, exact, estimate } = tokenizer.countTokens(text);
      assert.ok(Number.isInteger(estimate) && estimate > 0, `${estimate}`);
      assert.ok(exact ? estimate === tokens : estimate <= tokens, `${estimate} estimated, ${tokens} counted`);
    }
  },
  "counts the same each time": async (tokenizer, { texts }) => {
    const count = () => texts.map((text) => tokenizer.countTokens(text).tokens);
    assert.deepEqual(count(), count());
  },
  "counts what the provider counts, or more when not exact": async (tokenizer, { provider, texts }) => {
    const { signal } = new AbortController();
    for (const text of texts) {
      const { tokens: seen } = await provider.embedDocuments([text], { signal });
      const { tokens, exact } = tokenizer.countTokens(text);
      if (seen !== null) assert.ok(exact ? tokens === seen : tokens >= seen, `${tokens} counted, ${seen} used`);
    }
  },
  "lets nothing over the limit pass for shorter": async (tokenizer, { provider, tooLong }) => {
    assert.ok(tokenizer.countTokens(tooLong).tokens > provider.profile.limits.maxInputTokens);
  },
  "counts a text of exactly the limit as that, when exact": async (tokenizer, { provider, atLimit }) => {
    const { tokens, exact } = tokenizer.countTokens(atLimit);
    const { maxInputTokens } = provider.profile.limits;
    assert.ok(exact ? tokens === maxInputTokens : tokens >= maxInputTokens, `${tokens}`);
  },
  "takes time in proportion to the length": async (tokenizer, { texts }) => {
    const short = texts.join(" ").repeat(100).slice(0, 1_000);
    const fastest = (text: string) => Math.min(...[1, 2, 3].map(() => timeMs(() => tokenizer.countTokens(text))));
    fastest(short); // warm
    // 20 times the length: 20 times the time when linear, 400 times when quadratic; 20 ms for a busy machine.
    assert.ok(fastest(short.repeat(20)) < 100 * fastest(short) + 20);
  },
} satisfies Record<string, TokenizerCheck>;

function timeMs(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
