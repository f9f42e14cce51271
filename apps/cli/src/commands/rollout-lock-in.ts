import { readFile, realpath, rename, writeFile } from "node:fs/promises";
import { lockIn } from "@emb/config";
import { EmbError } from "@emb/manifest";
import { findProfile } from "@emb/query";
import { paint } from "../output.js";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";

export interface RolloutLockInOptions {
  /** Whose file; default: the environment of this process. */
  readonly env?: string;
  /** Default: EMBEDDINGS_PROFILE, with which the services run since the cutover. */
  readonly to?: string;
  readonly write: boolean;
}

/** Shows, or writes, how an environment's file makes a profile its baseline. Opens no database and asks no gate: the file is under review. */
export const rolloutLockIn: Command<RolloutLockInOptions> = async (session, options) => {
  const { output } = session;
  const env = options.env === undefined ? session.env : { ...session.env, ENV: options.env };
  const settings = readSettings({ ...session, env }, options.to);
  const name = options.to ?? settings.requested;
  if (name === null)
    throw new EmbError("EMB_USAGE", "expected the profile that becomes the baseline, got none", {
      hint: "Name it: emb rollout lock-in --to PROFILE, or set EMBEDDINGS_PROFILE.",
    });
  const { name: to } = findProfile(settings, name);
  const { environment, baseline: from, rollout } = settings;
  const file = settings.paths.environmentFile;
  const { text, removed, added } = lockIn(await readFile(file, "utf8"), { from, to });
  const changed = removed.length + added.length > 0;
  const written = options.write && changed;
  if (written) await replaceFile(file, text);

  const stays = (["shadow", "canary"] as const).filter((use) => rollout[use]?.profile === to);
  output.document({ ok: true, environment, file, from, to, changed, written, removed, added, left_over: stays });
  output.line(`${written ? "wrote " : ""}${file}: ${from} -> ${to}`);
  for (const line of removed) output.line(paint(output, "red", `- ${line}`));
  for (const line of added) output.line(paint(output, "green", `+ ${line}`));
  if (!changed) output.line("it is the baseline there already");
  for (const use of stays) output.line(`rollout.${use} names ${to} too: remove it, the baseline needs none`);
  if (changed && !written) output.line("--write writes it");
  if (written) output.line("Start the services without EMBEDDINGS_PROFILE and EMBEDDING_PROFILE_EXPERIMENT.");
  return 0;
};

/** All or nothing, and through a link to the file that it names. */
async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path);
  const beside = `${target}.${process.pid}.new`;
  await writeFile(beside, text, { flag: "wx" });
  await rename(beside, target);
}
