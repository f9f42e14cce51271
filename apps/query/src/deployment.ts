import { hostname, userInfo } from "node:os";
import {
  gateAsk,
  gateError,
  missingRequirements,
  type Environment,
  type GateDecision,
  type Settings,
} from "@emb/config";
import { EmbError, nearest, type Profile } from "@emb/manifest";
import type { Store } from "@emb/store";

/** A profile of the manifest by its exact name. @throws EmbError EMB_PROFILE_UNKNOWN with the nearest name */
export function findProfile({ manifest }: Settings, name: string): Profile {
  const profile = manifest.profiles.get(name);
  if (profile !== undefined) return profile;
  const near = nearest(name, manifest.profiles.keys());
  throw new EmbError("EMB_PROFILE_UNKNOWN", `expected a profile of the manifest, got "${name}"`, {
    hint: near === null ? `Name one of: ${[...manifest.profiles.keys()].join(", ")}.` : `Did you mean "${near}"?`,
  });
}

/**
 * The profile that a command may use, after the gate and its requirements. `requested` undefined asks for the active profile.
 * @throws EmbError EMB_PROFILE_OVERRIDE_REFUSED, EMB_PROFILE_UNKNOWN, EMB_REQUIREMENT_MISSING
 */
export function passGate(
  settings: Settings,
  env: Environment,
  requested: string | undefined,
): { profile: Profile; decision: Exclude<GateDecision, { kind: "refused" }> } {
  const decision = requested === undefined ? settings.gate : gateAsk(settings, requested);
  if (decision.kind === "refused") throw gateError(decision);
  const profile = findProfile(settings, decision.profile);
  requireReady(profile, env);
  return { profile, decision };
}

/** @throws EmbError EMB_REQUIREMENT_MISSING naming every variable at once */
export function requireReady(profile: Profile, env: Environment): void {
  const missing = missingRequirements(profile, env);
  if (missing.length === 0) return;
  throw new EmbError(
    "EMB_REQUIREMENT_MISSING",
    `profile ${profile.name}: expected ${missing.join(", ")} to be set, seen unset`,
    {
      hint: `Set ${missing.join(" and ")}.`,
      context: { profile: profile.name },
    },
  );
}

/** Who is asking, for the audit log. */
export function actor(): string {
  const name = (() => {
    try {
      return userInfo().username;
    } catch {
      return "unknown"; // a container without a passwd entry for its uid
    }
  })();
  return `${name}@${hostname()}`;
}

/** The audit row of a permitted override, once a database is open; nothing for a baseline. */
export async function recordOverride(
  store: Pick<Store, "audit">,
  { environment, baseline }: Pick<Settings, "environment" | "baseline">,
  decision: Exclude<GateDecision, { kind: "refused" }>,
  use: "query" | "reingest" | "search" | "shadow",
): Promise<void> {
  if (decision.kind === "baseline") return;
  const detail = { use, environment, baseline, profile: decision.profile, permitted_by: decision.permittedBy };
  await store.audit.append({ action: "override.permitted", actor: actor(), detail });
}
