import { nearest } from "./nearest.js";
import { EmbError } from "./errors.js";

/** What emb knows about a provider before any of its code is loaded. */
interface ProviderRow {
  readonly aliases: readonly string[];
  /** Environment variable with the service's address; it beats `service_url` of any file. */
  readonly urlVariable?: string;
  /** Environment variable with the secret. */
  readonly keyVariable?: string;
}

/** Every provider, by canonical id. Adapters are registered under the same ids in @emb/providers. */
export const PROVIDERS = {
  "jina-ai": { aliases: ["jina_ai", "jina"], urlVariable: "JINA_API_URL", keyVariable: "JINA_API_KEY" },
  "bge-m3-service": {
    aliases: ["bge-m3", "bge_m3", "bge_m3_service"],
    urlVariable: "BGE_M3_API_URL",
    keyVariable: "BGE_M3_API_KEY",
  },
  openai: { aliases: ["open_ai"], urlVariable: "OPENAI_BASE_URL", keyVariable: "OPENAI_API_KEY" },
  "openai-compatible": {
    aliases: ["openai_compatible"],
    urlVariable: "OPENAI_COMPATIBLE_URL",
    keyVariable: "OPENAI_COMPATIBLE_API_KEY",
  },
  cohere: { aliases: [], urlVariable: "COHERE_API_URL", keyVariable: "COHERE_API_KEY" },
  voyage: { aliases: ["voyage-ai", "voyage_ai"], urlVariable: "VOYAGE_API_URL", keyVariable: "VOYAGE_API_KEY" },
  tei: { aliases: ["text-embeddings-inference"], urlVariable: "TEI_URL", keyVariable: "TEI_API_KEY" },
  ollama: { aliases: [], urlVariable: "OLLAMA_URL" },
  "sentence-transformers": { aliases: ["st_minilm", "st-minilm", "sentence_transformers", "huggingface", "hf"] },
  "use-lite": { aliases: ["use_lite"] },
} as const satisfies Record<string, ProviderRow>;

export type ProviderId = keyof typeof PROVIDERS;

/** Canonical ids, in the order of the table. */
export const PROVIDER_IDS: readonly ProviderId[] = Object.keys(PROVIDERS).filter(
  (id): id is ProviderId => id in PROVIDERS,
);

const spellings = (id: ProviderId): readonly string[] => [id, ...PROVIDERS[id].aliases];

/** The canonical id of a provider name or alias, exact in letter case; null when emb knows no such provider. */
export const resolveProvider = (name: string): ProviderId | null =>
  PROVIDER_IDS.find((id) => spellings(id).includes(name)) ?? null;

/** Where a provider's address and secret come from; undefined where it has none. */
export const providerVariables = (id: ProviderId): { readonly url?: string; readonly key?: string } => {
  const row: ProviderRow = PROVIDERS[id];
  return {
    ...(row.urlVariable === undefined ? {} : { url: row.urlVariable }),
    ...(row.keyVariable === undefined ? {} : { key: row.keyVariable }),
  };
};

/** The model runs in this process: there is no address to ask it at. */
export const runsInProcess = ({ provider }: { readonly provider: string }): boolean => {
  const id = resolveProvider(provider);
  return id !== null && providerVariables(id).url === undefined;
};

/** One action for a provider name that nobody knows. */
export function unknownProviderHint(name: string): string {
  const near = nearest(name, PROVIDER_IDS.flatMap(spellings));
  const known = `Known providers: ${PROVIDER_IDS.join(", ")}.`;
  return near === null ? known : `Did you mean "${near}"? ${known}`;
}

/** @throws nothing; makes the EMB_PROVIDER_UNKNOWN that a factory throws. */
export const unknownProvider = (name: string): EmbError =>
  new EmbError("EMB_PROVIDER_UNKNOWN", `provider "${name}" is not known`, {
    hint: unknownProviderHint(name),
    context: { provider: name },
  });
