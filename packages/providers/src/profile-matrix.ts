import type { Capabilities, Profile, Similarity } from "@emb/manifest";
import type { ProviderOptions } from "./adapter.js";
import { missingRequirements } from "./factory.js";

/** One profile as `emb verify providers` shows it. */
export interface ProfileRow {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly dims: number;
  readonly similarity: Similarity;
  /** `<backend>:<model>`. */
  readonly tokenizer: string;
  /** Names as in the manifest, in its order; only those that the profile has. */
  readonly capabilities: readonly string[];
  /** Required environment variables that are unset or blank. */
  readonly missing: readonly string[];
}

/** Manifest names of the capabilities, in its order. */
const CAPABILITIES: readonly (readonly [keyof Capabilities, string])[] = [
  ["supportsDense", "supports_dense"],
  ["supportsSparse", "supports_sparse"],
  ["supportsColbert", "supports_colbert"],
  ["supportsLongSequences", "supports_long_sequences"],
  ["normalizedOutput", "normalized_output"],
  ["multilingual", "multilingual"],
];

/** Rows in the order of the profiles. Calls nobody. */
export const profileMatrix = (profiles: Iterable<Profile>, env: ProviderOptions["env"]): ProfileRow[] =>
  Array.from(profiles, (profile) => ({
    name: profile.name,
    provider: profile.provider,
    model: profile.modelId,
    dims: profile.dims,
    similarity: profile.similarity,
    tokenizer: `${profile.tokenizer.backend}:${profile.tokenizer.modelId}`,
    capabilities: CAPABILITIES.filter(([key]) => profile.capabilities[key]).map(([, name]) => name),
    missing: missingRequirements(profile, env),
  }));
