import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { loadSettings, type Settings } from "@emb/config";
import type { ConfiguredUse } from "@emb/ingest";
import { isEmbError, namespaceName, type Profile } from "@emb/manifest";
import type { Session } from "./session.js";

/** Of this process's own environment, and so no part of another one's. */
const OWN = ["ENV", "EMBEDDINGS_PROFILE", "EMBEDDING_PROFILE_EXPERIMENT", "EMBEDDING_PROFILE_SWAPPABLE"];

/** What every environment's file in the config folder uses, and what this process itself would. Files that cannot be read are named. */
export function configuredNamespaces(
  session: Session,
  settings: Settings,
): { configured: ConfiguredUse[]; unreadable: { environment: string; why: string }[] } {
  const configured = usesOf(settings);
  const unreadable: { environment: string; why: string }[] = [];
  const env = Object.fromEntries(Object.entries(session.env).filter(([name]) => !OWN.includes(name)));
  const manifestFile = basename(settings.paths.manifestFile);
  for (const file of readdirSync(settings.paths.configDir)) {
    if (!file.endsWith(".yaml") || file === manifestFile) continue;
    const environment = file.slice(0, -".yaml".length);
    try {
      configured.push(...usesOf(loadSettings({ env: { ...env, ENV: environment }, cwd: session.cwd })));
    } catch (error) {
      if (!isEmbError(error)) throw error;
      unreadable.push({ environment, why: error.code });
    }
  }
  const distinct = new Map(configured.map((use) => [JSON.stringify(use), use]));
  return { configured: [...distinct.values()], unreadable };
}

function usesOf({ environment, baseline, active, manifest, namespaceMode, store, rollout }: Settings): ConfiguredUse[] {
  const { baseNamespace: base } = store;
  const of = (use: ConfiguredUse["use"], profile: Profile | null | undefined): ConfiguredUse[] => {
    if (profile === null || profile === undefined) return [];
    const { suffix } = namespaceName({ base, profile, mode: namespaceMode });
    return [{ environment, use, profile: profile.name, base, suffix }];
  };
  const named = (name: string | undefined) => (name === undefined ? null : manifest.profiles.get(name));
  return [
    ...of("baseline", named(baseline)),
    ...(active?.name === baseline ? [] : of("active", active)),
    ...of("shadow", named(rollout.shadow?.profile)),
    ...of("canary", named(rollout.canary?.profile)),
  ];
}
