import type { EmbeddingProvider, EmbedOptions } from "@emb/providers";

/** The real provider, and how many texts it was given so far, probe texts and queries among them. */
export interface MeteredProvider extends EmbeddingProvider {
  texts(): number;
}

export function meterProvider(inner: EmbeddingProvider): MeteredProvider {
  let given = 0;
  const count = (texts: readonly string[]) => {
    given += texts.length;
    return texts;
  };
  return {
    profile: inner.profile,
    texts: () => given,
    embedDocuments: (texts: readonly string[], options: EmbedOptions) => inner.embedDocuments(count(texts), options),
    embedQueries: (texts: readonly string[], options: EmbedOptions) => inner.embedQueries(count(texts), options),
    close: () => inner.close(),
  };
}
