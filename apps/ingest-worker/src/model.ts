import type { Environment, Settings } from "@emb/config";
import type { Profile } from "@emb/manifest";
import { createProvider, createTokenizer, type EmbeddingProvider, type ProviderOptions } from "@emb/providers";
import type { Chunker } from "@emb/ingest";
import { requireReady } from "@emb/query";
import { profileChunker } from "./profile-chunker.js";

/** A profile's model and the chunker bounded by it. The caller closes the provider. */
export interface Model {
  readonly provider: EmbeddingProvider;
  readonly chunker: Chunker;
}

/** @throws EmbError EMB_REQUIREMENT_MISSING, EMB_PROVIDER_UNKNOWN, EMB_MODEL_UNAVAILABLE */
export async function createModel(
  settings: Settings,
  env: Environment,
  profile: Profile,
  told: Pick<ProviderOptions, "observer" | "onWarning"> = {},
): Promise<Model> {
  requireReady(profile, env);
  const { dataDir, modelsDir } = settings.paths;
  const access = { env, dataDir, modelsDir: modelsDir ?? undefined, ...told };
  const chunker = profileChunker(profile, await createTokenizer(profile, access), settings.ingest.chunkTokens);
  return { provider: await createProvider(profile, access), chunker };
}
