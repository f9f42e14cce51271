import { loadSettings, type Settings } from "@emb/config";
import type { Session } from "./session.js";

/**
 * Settings of this process; warnings are shown on stderr.
 * @param asks profiles that the command itself asks the gate for; undefined ones count as not asked
 * @throws EmbError with every configuration error at once
 */
export function readSettings(
  { env, cwd, output }: Pick<Session, "env" | "cwd" | "output">,
  ...asks: (string | undefined)[]
): Settings {
  const settings = loadSettings({ env, cwd, asks: asks.filter((profile) => profile !== undefined) });
  for (const { code, message } of settings.warnings) output.note(`warning ${code} ${message}`);
  return settings;
}
