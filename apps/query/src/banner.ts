import type { GateDecision, Settings } from "@emb/config";
import type { Profile } from "@emb/manifest";
import type { BannerInfo } from "@emb/providers";
import { telemetryContext } from "./telemetry-context.js";

/** What the startup banner says of this process. */
export const bannerOf = (
  settings: Settings,
  profile: Profile,
  namespace: string,
  decision: Exclude<GateDecision, { kind: "refused" }>,
): BannerInfo => ({
  ...telemetryContext(settings, profile, namespace),
  environment: settings.environment,
  baseline: settings.baseline,
  permittedBy: decision.kind === "override" ? decision.permittedBy : null,
});
