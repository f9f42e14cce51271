export type { ProviderOptions } from "./adapter.js";
export { BUILT_PROVIDERS, createProvider, createTokenizer, missingRequirements } from "./factory.js";
export type { EmbeddingProvider, Embeddings, EmbedOptions } from "./provider.js";
export { checkEmbeddings, NORM_TOLERANCE, withResponseChecks } from "./response-checks.js";
export type { TokenCount, Tokenizer } from "./tokenizer.js";
