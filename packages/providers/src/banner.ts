import type { TelemetryContext } from "./telemetry-labels.js";

export interface BannerInfo extends TelemetryContext {
  readonly environment: string;
  /** Name of the profile that the environment's config names. */
  readonly baseline: string;
  /** What let an override through: environment, swappable or experiment; null when the baseline is active. */
  readonly permittedBy: string | null;
}

/** What runs and why, one line each, for stderr. Ends with a line break. */
export function renderBanner(info: BannerInfo): string {
  const { profile } = info;
  const lines: [label: string, value: string][] = [
    ["Environment", info.environment],
    ["Active Profile", profile.name],
    ["Baseline Profile", info.baseline],
    ["Provider", profile.provider],
    ["Model", profile.modelId],
    ["Dims", String(profile.dims)],
    ["Similarity", profile.similarity],
    ["Namespace", info.namespace],
    ["Namespace Mode", info.namespaceMode],
    ["Strict Mode", yesOrNo(info.strictMode)],
    ["Profile Swappable", yesOrNo(info.swappable)],
    ["Profile Experiment", info.experiment ?? ""],
    ["Permitted By", info.permittedBy ?? "baseline"],
  ];
  return lines.map(([label, value]) => `${label}: ${value}`.trimEnd() + "\n").join("");
}

const yesOrNo = (value: boolean): string => (value ? "True" : "False");
