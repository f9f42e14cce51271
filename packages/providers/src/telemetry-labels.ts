import type { NamespaceMode, Profile } from "@emb/manifest";

export interface TelemetryContext {
  readonly profile: Profile;
  readonly namespace: string;
  readonly namespaceMode: NamespaceMode;
  readonly strictMode: boolean;
  readonly swappable: boolean;
  /** Name of the profile under experiment; null when there is none. */
  readonly experiment: string | null;
}

/** The labels that every metric, span and log line of an embedding process carries. */
export interface TelemetryLabels {
  readonly embedding_profile: string;
  readonly embedding_provider: string;
  readonly embedding_model: string;
  readonly embedding_dims: number;
  readonly embedding_namespace: string;
  readonly embedding_namespace_mode: NamespaceMode;
  readonly embedding_strict_mode: boolean;
  readonly embedding_profile_swappable: boolean;
  /** Empty when there is none: a label must not come and go. */
  readonly embedding_profile_experiment: string;
}

export const telemetryLabels = (context: TelemetryContext): TelemetryLabels => ({
  embedding_profile: context.profile.name,
  embedding_provider: context.profile.provider,
  embedding_model: context.profile.modelId,
  embedding_dims: context.profile.dims,
  embedding_namespace: context.namespace,
  embedding_namespace_mode: context.namespaceMode,
  embedding_strict_mode: context.strictMode,
  embedding_profile_swappable: context.swappable,
  embedding_profile_experiment: context.experiment ?? "",
});
