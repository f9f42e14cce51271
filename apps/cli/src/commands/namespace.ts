import { EmbError, namespaceName, NAMESPACE_MODES, type NamespaceMode } from "@emb/manifest";
import { findProfile } from "@emb/query";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";

/** Prints the namespace of a base for a profile and a mode. */
export const namespace: Command<{ base: string; profile?: string; mode?: string }> = async (session, options) => {
  const settings = readSettings(session);
  const profile = findProfile(settings, options.profile ?? settings.active?.name ?? settings.baseline);
  const mode = options.mode === undefined ? settings.namespaceMode : parseMode(options.mode);
  const { namespace: name, suffix } = namespaceName({ base: options.base, profile, mode });
  session.output.document({ namespace: name, suffix, profile: profile.name, mode });
  session.output.line(name);
  return 0;
};

function parseMode(text: string): NamespaceMode {
  const mode = NAMESPACE_MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  throw new EmbError("EMB_USAGE", `--mode: expected one of ${NAMESPACE_MODES.join(", ")}, got "${text}"`, {
    hint: "Use --mode profile, or leave it out to take the environment's.",
  });
}
