import { EmbError, PROVIDER_IDS, resolveProvider, unknownProvider, type Profile, type ProviderId } from "@emb/manifest";
import type { Adapter, ProviderOptions } from "./adapter.js";
import type { EmbeddingProvider } from "./provider.js";
import { guardCalls } from "./call-guard.js";
import type { Tokenizer } from "./tokenizer.js";

/** Adapter of each provider. A function, so that loading one does not load the others. */
const ADAPTERS: Partial<Record<ProviderId, () => Promise<Adapter>>> = {
  "sentence-transformers": async () => (await import("./sentence-transformers.js")).sentenceTransformers,
  "use-lite": async () => (await import("./use-lite.js")).useLite,
};

/** Providers that this version has an adapter for. */
export const BUILT_PROVIDERS: readonly ProviderId[] = PROVIDER_IDS.filter((id) => ADAPTERS[id] !== undefined);

/**
 * Opens the provider of a profile, with every answer checked. The caller closes it.
 * @throws EmbError EMB_PROVIDER_UNKNOWN, EMB_REQUIREMENT_MISSING, EMB_MODEL_UNAVAILABLE, EMB_MANIFEST_INVALID
 */
export async function createProvider(profile: Profile, options: ProviderOptions): Promise<EmbeddingProvider> {
  const adapter = await loadAdapter(profile);
  const missing = missingRequirements(profile, options.env);
  if (missing.length > 0) {
    throw new EmbError("EMB_REQUIREMENT_MISSING", `Profile "${profile.name}" needs ${missing.join(", ")}.`, {
      hint: `Set ${missing.join(", ")} in the environment.`,
      context: { profile: profile.name },
    });
  }
  return guardCalls(await adapter.createProvider(profile, options), {
    checked: adapter.checksAnswers ?? false,
    observer: options.observer,
    nowMs: options.http?.nowMs,
  });
}

/**
 * Counts tokens as the profile's model does, without loading the model.
 * @throws EmbError EMB_PROVIDER_UNKNOWN, EMB_MODEL_UNAVAILABLE, EMB_MANIFEST_INVALID
 */
export async function createTokenizer(profile: Profile, options: ProviderOptions): Promise<Tokenizer> {
  return (await loadAdapter(profile)).createTokenizer(profile, options);
}

/** Environment variables that the profile needs and that are unset or blank. */
export const missingRequirements = (profile: Profile, env: ProviderOptions["env"]): string[] =>
  profile.requirements.filter((name) => (env[name] ?? "").trim() === "");

async function loadAdapter(profile: Profile): Promise<Adapter> {
  const id = resolveProvider(profile.provider);
  if (id === null) throw unknownProvider(profile.provider);
  const load = ADAPTERS[id];
  if (load) return load();
  throw new EmbError("EMB_PROVIDER_UNKNOWN", `This version of emb has no adapter for the provider "${id}".`, {
    hint: `Use a profile of one of: ${BUILT_PROVIDERS.join(", ")}.`,
    context: { provider: id, profile: profile.name },
  });
}
