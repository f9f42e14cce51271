import type { GateDecision } from "@emb/config";
import { EmbError, isEmbError, namespaceName, type Profile } from "@emb/manifest";
import { createProvider, telemetryLabels } from "@emb/providers";
import type { ProfileTelemetry } from "@emb/providers/telemetry";
import { openSearch, type Search } from "@emb/search";
import type { NamespaceAddress } from "@emb/store";
import { passGate } from "./deployment.js";
import { guardSeal } from "./guard-seal.js";
import type { ServeSetup } from "./serve.js";
import type { ServiceLog } from "./service-log.js";
import { telemetryContext } from "./telemetry-context.js";
import { timedNamespaces } from "./timed-namespaces.js";

export type CandidateSetup = Pick<ServeSetup, "settings" | "env" | "store" | "base" | "log" | "telemetry">;

/** A profile that the gate permits as a shadow, with its model. */
export interface Candidate {
  readonly profile: Profile;
  readonly decision: Exclude<GateDecision, { kind: "refused" }>;
  readonly address: NamespaceAddress;
  readonly telemetry: ProfileTelemetry;
  /** Its lines carry the candidate's labels. */
  readonly log: ServiceLog;
  /** Seal and witness, as of a namespace that serves; strict always, since answers of another space say nothing. @throws as `openSearch` */
  open(signal: AbortSignal): Promise<Search>;
  close(): Promise<void>;
}

/**
 * The gate, what the profile needs, and its model.
 * @param name the profile that `rollout.shadow` names
 * @param active the profile that serves
 * @throws EmbError EMB_CONFIG_INVALID when both are one, and of the gate, the requirements and the model
 */
export async function createCandidate(
  setup: CandidateSetup,
  { name, active }: { name: string; active: string },
): Promise<Candidate> {
  const { settings, env, store, base } = setup;
  if (name === active)
    throw new EmbError("EMB_CONFIG_INVALID", `rollout.shadow names ${name}, which serves: nothing can be compared`, {
      hint: "Remove rollout.shadow, or name another profile.",
    });
  const mode = settings.namespaceMode;
  const { maxNamespaceBytes: maxLength } = store.capabilities;
  const addressOf = (profile: Profile) => ({ ...namespaceName({ base, profile, mode, maxLength }), mode });
  const contextOf = (profile: Profile) => telemetryContext(settings, profile, addressOf(profile).namespace);

  const known = settings.manifest.profiles.get(name);
  const telemetry = known === undefined ? null : setup.telemetry.profile(contextOf(known));
  telemetry?.shadow.on(false);
  try {
    const { profile, decision } = passGate(settings, env, name);
    const opened = telemetry ?? setup.telemetry.profile(contextOf(profile));
    opened.guard("gate", "clean");
    const log = setup.log.with(telemetryLabels(contextOf(profile)));
    const address = addressOf(profile);
    const { dataDir, modelsDir } = settings.paths;
    const provider = opened.traced(
      await createProvider(profile, {
        env,
        dataDir,
        modelsDir: modelsDir ?? undefined,
        pacer: store.rateLimits,
        observer: opened.observer,
        onWarning: (message) => log.warn({ event: "provider.warning", message }),
      }),
    );
    const namespaces = timedNamespaces(store.namespaces, opened);
    return {
      profile,
      decision,
      address,
      telemetry: opened,
      log,
      open: (signal) => guardSeal(opened, () => openSearch({ namespaces, address, provider, strict: true, signal })),
      async close() {
        await provider.close();
        opened.close();
      },
    };
  } catch (error) {
    if (isEmbError(error, "EMB_PROFILE_OVERRIDE_REFUSED")) telemetry?.guard("gate", "blocked");
    telemetry?.close();
    throw error;
  }
}
