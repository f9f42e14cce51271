import { canonicalJson } from "./canonical-json.js";
import type { Profile } from "./profile.js";
import { sha256 } from "./sha256.js";

/** Everything that decides the numbers in a vector. */
const space = (profile: Profile) => ({
  model_id: profile.modelId,
  revision: profile.revision,
  version: profile.version,
  dims: profile.dims,
  normalized_output: profile.capabilities.normalizedOutput,
  pooling: profile.pooling,
  precision: profile.precision,
  tasks: { document: profile.tasks.document, query: profile.tasks.query },
  prompts: { document: profile.prompts.document, query: profile.prompts.query },
});

/**
 * The vector space of a profile, as 64 hex digits: vectors of two profiles may be compared exactly when these are equal.
 * A change of the fields or their encoding makes every seal of every user invalid.
 */
export const spaceId = (profile: Profile): string => sha256(canonicalJson(space(profile)));

/** The space plus what decides how texts become rows, as 64 hex digits: a writer needs it equal to the seal's. */
export const fingerprint = (profile: Profile): string =>
  sha256(
    canonicalJson({
      ...space(profile),
      provider: profile.provider,
      similarity: profile.similarity,
      storage: profile.storage,
      tokenizer: { backend: profile.tokenizer.backend, model_id: profile.tokenizer.modelId },
      max_input_tokens: profile.limits.maxInputTokens,
    }),
  );
