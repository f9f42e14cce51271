import { isEmbError } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";

/** Codes by which a provider refuses one text; every other error ends the call. */
const REFUSED_TEXT = ["EMB_TEXT_EMPTY", "EMB_TEXT_TOO_LONG", "EMB_PROVIDER_REJECTED"] as const;

export interface EmbedOutcome {
  /** One entry for each text, in order: its vector, or why the provider refuses it. */
  readonly outcomes: readonly (Float32Array | { readonly code: string; readonly reason: string })[];
  readonly tokens: number;
}

/**
 * Embeds document texts and isolates those that the provider refuses, by halving the batch until each bad text stands alone.
 * @throws whatever the provider throws for another reason than a text
 */
export async function embedIsolating(
  provider: EmbeddingProvider,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<EmbedOutcome> {
  if (texts.length === 0) return { outcomes: [], tokens: 0 };
  try {
    const { dense, dims, tokens } = await provider.embedDocuments(texts, { signal });
    return { outcomes: texts.map((_, row) => dense.subarray(row * dims, (row + 1) * dims)), tokens: tokens ?? 0 };
  } catch (error) {
    if (!isEmbError(error) || !REFUSED_TEXT.some((code) => code === error.code)) throw error;
    if (texts.length === 1) return { outcomes: [{ code: error.code, reason: error.message }], tokens: 0 };
    const middle = texts.length >> 1;
    const left = await embedIsolating(provider, texts.slice(0, middle), signal);
    const right = await embedIsolating(provider, texts.slice(middle), signal);
    return { outcomes: [...left.outcomes, ...right.outcomes], tokens: left.tokens + right.tokens };
  }
}
