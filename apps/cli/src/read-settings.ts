import { loadSettings, type Settings } from "@emb/config";
import type { Session } from "./session.js";

/** Settings of this process; warnings are shown on stderr. @throws EmbError with every configuration error at once */
export function readSettings({ env, cwd, output }: Pick<Session, "env" | "cwd" | "output">): Settings {
  const settings = loadSettings({ env, cwd });
  for (const { code, message } of settings.warnings) output.note(`warning ${code} ${message}`);
  return settings;
}
