export { canonicalJson, type Json } from "./canonical-json.js";
export { decideCompatibility, type Compatibility, type CompatibilityNeeds } from "./compatibility.js";
export { EmbError, ERROR_CODES, isEmbError, type ErrorCode, type ErrorDetails, type Problem } from "./errors.js";
export { fingerprint, spaceId } from "./fingerprint.js";
export {
  DEFAULT_LIMITS,
  MAX_DIMS,
  ProfileName,
  ServiceUrl,
  WrittenManifest,
  WrittenProfile,
} from "./manifest-schema.js";
export {
  MAX_NAMESPACE_LENGTH,
  NAMESPACE_MODES,
  namespaceName,
  namespaceSuffix,
  slug,
  suffixCollisions,
  type NamespaceName,
} from "./namespace.js";
export { editDistance, nearest } from "./nearest.js";
export { parseManifest, type Manifest, type ManifestReading, type ParseManifestOptions } from "./parse-manifest.js";
export type { Capabilities, Limits, NamespaceMode, Profile, Side, Similarity, Storage } from "./profile.js";
export {
  PROVIDER_IDS,
  PROVIDERS,
  providerVariables,
  resolveProvider,
  runsInProcess,
  unknownProvider,
  unknownProviderHint,
  type ProviderId,
} from "./provider-names.js";
export { byPlace, readYaml, type Locate, type Position, type YamlReading } from "./yaml-document.js";
export {
  cosineSimilarity,
  decideWitness,
  embedProbes,
  PROBE_TEXTS,
  WITNESS_MIN_COSINE,
  witnessFailed,
  type ProbeEmbedder,
} from "./witness.js";
