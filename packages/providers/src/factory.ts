import { EmbError, resolveProvider, unknownProvider, type Profile, type ProviderId } from "@emb/manifest";
import type { Adapter, ProviderOptions } from "./adapter.js";
import type { EmbeddingService } from "./http/embedding-service.js";
import type { EmbeddingProvider } from "./provider.js";
import { guardCalls } from "./call-guard.js";
import type { Tokenizer } from "./tokenizer.js";

/** Adapter of each provider. Functions, so that loading one does not load the others. */
const ADAPTERS: Readonly<Record<ProviderId, () => Promise<Adapter>>> = {
  "jina-ai": async () => overHttp((await import("./services/jina-ai.js")).jinaAi),
  "bge-m3-service": async () => overHttp((await import("./services/bge-m3-service.js")).bgeM3Service),
  openai: async () => overHttp((await import("./services/openai.js")).openai),
  "openai-compatible": async () => overHttp((await import("./services/openai-compatible.js")).openaiCompatible),
  cohere: async () => overHttp((await import("./services/cohere.js")).cohere),
  voyage: async () => overHttp((await import("./services/voyage.js")).voyage),
  tei: async () => overHttp((await import("./services/tei.js")).tei),
  ollama: async () => overHttp((await import("./services/ollama.js")).ollama),
  "sentence-transformers": async () => (await import("./sentence-transformers.js")).sentenceTransformers,
  "use-lite": async () => (await import("./use-lite.js")).useLite,
};

const overHttp = async (service: EmbeddingService): Promise<Adapter> =>
  (await import("./http/http-provider.js")).httpAdapter(service);

/**
 * Opens the provider of a profile, with every answer checked. The caller closes it.
 * @throws EmbError EMB_PROVIDER_UNKNOWN, EMB_REQUIREMENT_MISSING, EMB_MODEL_UNAVAILABLE, EMB_MANIFEST_INVALID, EMB_ENV_INVALID
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
  return ADAPTERS[id]();
}
