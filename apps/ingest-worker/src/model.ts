import type { Environment, Settings } from "@emb/config";
import type { Profile } from "@emb/manifest";
import {
  createProvider,
  createTokenizer,
  PATIENT_QUERIES,
  type EmbeddingProvider,
  type ProviderOptions,
  type Tokenizer,
} from "@emb/providers";
import type { Chunker } from "@emb/ingest";
import { requireReady } from "@emb/query";
import { profileChunker } from "./profile-chunker.js";

/** A profile's tokenizer and the chunker bounded by it. */
export interface Counting {
  readonly tokenizer: Tokenizer;
  readonly chunker: Chunker;
}

/** A profile's model beside them. The caller closes the provider. */
export interface Model extends Counting {
  readonly provider: EmbeddingProvider;
}

const accessOf = ({ paths: { dataDir, modelsDir } }: Settings, env: Environment): ProviderOptions => ({
  env,
  dataDir,
  modelsDir: modelsDir ?? undefined,
});

/** What a plan needs: no model, and none of the profile's requirements. @throws EmbError EMB_PROVIDER_UNKNOWN, EMB_MODEL_UNAVAILABLE */
export async function createCounting(settings: Settings, env: Environment, profile: Profile): Promise<Counting> {
  const tokenizer = await createTokenizer(profile, accessOf(settings, env));
  return { tokenizer, chunker: profileChunker(profile, tokenizer, settings.ingest.chunkTokens) };
}

/**
 * A model for work that nobody waits for: its queries are as patient as its documents, unless it is told otherwise.
 * @throws EmbError EMB_REQUIREMENT_MISSING, EMB_PROVIDER_UNKNOWN, EMB_MODEL_UNAVAILABLE
 */
export async function createModel(
  settings: Settings,
  env: Environment,
  profile: Profile,
  told: Pick<ProviderOptions, "observer" | "onWarning" | "pacer" | "http"> = {},
): Promise<Model> {
  requireReady(profile, env);
  const counting = await createCounting(settings, env, profile);
  return {
    ...counting,
    provider: await createProvider(profile, { ...accessOf(settings, env), http: PATIENT_QUERIES, ...told }),
  };
}
