import type { Settings } from "@emb/config";
import type { Profile } from "@emb/manifest";
import type { TelemetryContext } from "@emb/providers";

/** What every metric, span and log line says of a profile in this process. */
export const telemetryContext = (settings: Settings, profile: Profile, namespace: string): TelemetryContext => ({
  profile,
  namespace,
  namespaceMode: settings.namespaceMode,
  strictMode: settings.strictMode,
  swappable: settings.swappable,
  experiment: settings.experiment,
});
