export type { ProviderOptions } from "./adapter.js";
export { withResponseChecks } from "./call-guard.js";
export { renderBanner, type BannerInfo } from "./banner.js";
export { createProvider, createTokenizer, missingRequirements } from "./factory.js";
export { checkLive, type LiveCheck } from "./live-check.js";
export { profileMatrix, type ProfileRow } from "./profile-matrix.js";
export type {
  EmbeddingProvider,
  Embeddings,
  EmbedOptions,
  MultiVectorEmbeddings,
  Sides,
  SparseEmbeddings,
} from "./provider.js";
export type {
  BreakerState,
  Operation,
  Outcome,
  ProviderEvent,
  ProviderObserver,
  RetryReason,
} from "./provider-events.js";
export { checkEmbeddings, NORM_TOLERANCE } from "./response-checks.js";
export type { PacedRequest, Pacer } from "./http/pacing.js";
export { PATIENT_QUERIES, type HttpTuning } from "./http/http-tuning.js";
export { telemetryLabels, type TelemetryContext, type TelemetryLabels } from "./telemetry-labels.js";
export type { TokenCount, Tokenizer } from "./tokenizer.js";
