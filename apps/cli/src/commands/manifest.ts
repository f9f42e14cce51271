import { configurationError, type Settings } from "@emb/config";
import {
  decideCompatibility,
  decideWitness,
  embedProbes,
  fingerprint,
  isEmbError,
  PROBE_TEXTS,
  spaceId,
  type Profile,
} from "@emb/manifest";
import { findProfile } from "@emb/query";
import { readSettings } from "../read-settings.js";
import { table } from "../output.js";
import { reportError } from "../report-error.js";
import type { Command, Session } from "../session.js";

/** Checks the manifest and the environment's file; every error at once, each with its place. */
export const validateManifest: Command<{ verbose: boolean }> = async (session, { verbose }) => {
  const { output } = session;
  try {
    const settings = readSettings(session);
    if (settings.gate.kind === "refused" && settings.gate.code === "EMB_PROFILE_UNKNOWN")
      throw configurationError([
        {
          code: settings.gate.code,
          message: settings.gate.reason,
          hint: settings.gate.hint,
          file: settings.paths.environmentFile,
        },
      ]);
    const profiles = [...settings.manifest.profiles.values()].map((profile) => ({
      name: profile.name,
      fingerprint: fingerprint(profile),
      space_id: spaceId(profile),
    }));
    output.document({
      ok: true,
      file: settings.paths.manifestFile,
      profiles,
      errors: [],
      warnings: settings.warnings.map(({ code, message, file, line, column }) => ({
        code,
        message,
        file,
        line,
        column,
      })),
    });
    output.line(`ok  ${settings.paths.manifestFile}: ${profiles.length} profiles`);
    const rows = profiles.map((row) => [row.name, row.fingerprint.slice(0, 12), row.space_id.slice(0, 12)]);
    for (const line of table(["profile", "fingerprint", "space_id"], rows)) output.line(line);
    return 0;
  } catch (error) {
    if (!isEmbError(error) || error.problems.length === 0) throw error;
    output.document({ ok: false, profiles: [], errors: error.problems });
    return reportError({ ...output, document: () => {} }, error, { verbose, interrupted: false });
  }
};

/** Says whether the vectors of one profile can serve another; with --prove both models embed the probe texts. Exit 1 for REFUSE. */
export const compareProfiles: Command<{ a: string; b: string; prove: boolean }> = async (session, { a, b, prove }) => {
  const settings = readSettings(session);
  const [from, to] = [findProfile(settings, a), findProfile(settings, b)];
  const spaceProved = prove && (await witnessesAgree(settings, session, [from, to]));
  const { result, reasons } = decideCompatibility(from, to, { mode: settings.namespaceMode, spaceProved });
  session.output.document({ from: a, to: b, result, reasons });
  session.output.line(`${result}  ${a} -> ${b}`);
  for (const reason of reasons) session.output.line(`  ${reason}`);
  return result === "REFUSE" ? 1 : 0;
};

/** Whether two models give the probe texts the same vectors. */
async function witnessesAgree(
  settings: Settings,
  session: Session,
  profiles: readonly [Profile, Profile],
): Promise<boolean> {
  if (profiles[0].dims !== profiles[1].dims) return false;
  const { createModel } = await import("@emb/ingest-worker");
  const probes = (["document", "query"] as const).flatMap((side) => PROBE_TEXTS[side].map((text) => ({ side, text })));
  const seen: Float32Array[][] = [];
  for (const profile of profiles) {
    const { provider } = await createModel(settings, session.env, profile);
    try {
      seen.push(await embedProbes(provider, probes, session.signal));
    } finally {
      await provider.close();
    }
  }
  return decideWitness(seen[0] ?? [], seen[1] ?? []).ok;
}
