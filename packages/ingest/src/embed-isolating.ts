import { isEmbError } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";

/** Codes by which a provider refuses one text; every other error ends the call. */
const REFUSED_TEXT = ["EMB_TEXT_EMPTY", "EMB_TEXT_TOO_LONG", "EMB_PROVIDER_REJECTED"] as const;

export interface EmbedOutcome {
  /** One entry for each text, in order: its vector, or why the provider refuses it. */
  readonly outcomes: readonly (Float32Array | { readonly code: string; readonly reason: string })[];
  readonly tokens: number;
}

export interface IsolatingCall {
  readonly signal: AbortSignal;
  /** Told of each answered call; tokens null: the service does not say. */
  readonly onCall: (texts: readonly string[], tokens: number | null) => void;
}

/**
 * Embeds document texts and isolates those that the provider refuses, by halving the batch until each bad text stands alone.
 * @throws whatever the provider throws for another reason than a text
 */
export async function embedIsolating(
  provider: EmbeddingProvider,
  texts: readonly string[],
  call: IsolatingCall,
): Promise<EmbedOutcome["outcomes"]> {
  if (texts.length === 0) return [];
  try {
    const { dense, dims, tokens } = await provider.embedDocuments(texts, { signal: call.signal });
    call.onCall(texts, tokens);
    return texts.map((_, row) => dense.subarray(row * dims, (row + 1) * dims));
  } catch (error) {
    if (!isEmbError(error) || !REFUSED_TEXT.some((code) => code === error.code)) throw error;
    if (texts.length === 1) return [{ code: error.code, reason: error.message }];
    const middle = texts.length >> 1;
    const left = await embedIsolating(provider, texts.slice(0, middle), call);
    return [...left, ...(await embedIsolating(provider, texts.slice(middle), call))];
  }
}
