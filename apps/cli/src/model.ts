import type { Settings } from "@emb/config";
import type { Profile } from "@emb/manifest";
import { createProvider, createTokenizer, type EmbeddingProvider } from "@emb/providers";
import { createChunker, type Chunker } from "@emb/ingest";
import { requireReady } from "./deployment.js";
import type { Session } from "./session.js";

/** A profile's model and the chunker bounded by it. The caller closes the provider. */
export interface Model {
  readonly provider: EmbeddingProvider;
  readonly chunker: Chunker;
}

/** @throws EmbError EMB_REQUIREMENT_MISSING, EMB_PROVIDER_UNKNOWN, EMB_MODEL_UNAVAILABLE */
export async function createModel(settings: Settings, session: Session, profile: Profile): Promise<Model> {
  requireReady(profile, session);
  const { dataDir, modelsDir } = settings.paths;
  const access = { env: session.env, dataDir, modelsDir };
  const tokenizer = await createTokenizer(profile, access);
  const maxTokens = Math.min(settings.ingest.chunkTokens, profile.limits.maxInputTokens);
  const chunker = createChunker({ maxTokens, countTokens: (text) => tokenizer.countTokens(text).tokens });
  return { provider: await createProvider(profile, access), chunker };
}
