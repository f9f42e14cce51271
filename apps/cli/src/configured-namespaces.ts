import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { loadSettings, type Settings } from "@emb/config";
import type { ConfiguredUse } from "@emb/ingest";
import { isEmbError, namespaceName, type Profile } from "@emb/manifest";
import type { Session } from "./session.js";

/** Of this process's own environment, and so no part of another one's. */
const OWN = ["ENV", "EMBEDDINGS_PROFILE", "EMBEDDING_PROFILE_EXPERIMENT", "EMBEDDING_PROFILE_SWAPPABLE"];

/**
 * What every environment's file in the config folder uses, and what this process itself would. Named beside it: files that cannot be read, and such as
 * name a profile that the manifest does not have here, so that nobody knows where it lives.
 */
export function configuredNamespaces(
  session: Session,
  settings: Settings,
): { configured: ConfiguredUse[]; unreadable: { environment: string; why: string }[] } {
  const configured: ConfiguredUse[] = [];
  const unreadable: { environment: string; why: string }[] = [];
  const add = (of: Settings) => {
    configured.push(...usesOf(of));
    for (const name of unknownProfiles(of))
      unreadable.push({ environment: of.environment, why: `profile ${name} is not in the manifest` });
  };
  add(settings);
  const env = Object.fromEntries(Object.entries(session.env).filter(([name]) => !OWN.includes(name)));
  const manifestFile = basename(settings.paths.manifestFile);
  for (const file of readdirSync(settings.paths.configDir)) {
    if (!file.endsWith(".yaml") || file === manifestFile) continue;
    const environment = file.slice(0, -".yaml".length);
    try {
      add(loadSettings({ env: { ...env, ENV: environment }, cwd: session.cwd }));
    } catch (error) {
      if (!isEmbError(error)) throw error;
      unreadable.push({ environment, why: error.code });
    }
  }
  return { configured: distinct(configured), unreadable: distinct(unreadable) };
}

const distinct = <T>(all: readonly T[]): T[] => [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];

const unknownProfiles = ({ baseline, manifest, rollout: { shadow, canary } }: Settings): string[] =>
  [baseline, shadow?.profile, canary?.profile].flatMap((name) =>
    name === undefined || manifest.profiles.has(name) ? [] : [name],
  );

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
