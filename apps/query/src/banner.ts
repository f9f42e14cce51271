import type { GateDecision, Settings } from "@emb/config";
import type { Profile } from "@emb/manifest";
import type { BannerInfo } from "@emb/providers";

/** What the startup banner says of this process. */
export const bannerOf = (
  settings: Settings,
  profile: Profile,
  namespace: string,
  decision: Exclude<GateDecision, { kind: "refused" }>,
): BannerInfo => ({
  environment: settings.environment,
  baseline: settings.baseline,
  profile,
  namespace,
  namespaceMode: settings.namespaceMode,
  strictMode: settings.strictMode,
  swappable: settings.swappable,
  experiment: settings.experiment,
  permittedBy: decision.kind === "override" ? decision.permittedBy : null,
});
