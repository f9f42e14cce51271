import type { Settings } from "@emb/config";
import { checkLive, profileMatrix, type LiveCheck, type ProfileRow, type ProviderOptions } from "@emb/providers";
import { withStore } from "@emb/query";
import { readSettings } from "../read-settings.js";
import { paint, table } from "../output.js";
import type { Command, Session } from "../session.js";

/** Enough for a model in process to be written and loaded the first time. */
const LIVE_TIMEOUT_MS = 60_000;

export interface VerifyProvidersOptions {
  readonly live: boolean;
}

/** Prints the profile matrix. Without --live it spends nothing and asks no provider; with it, each that can be asked gets one short text. */
export const verifyProviders: Command<VerifyProvidersOptions> = async (session, { live }) => {
  const { output, env } = session;
  const settings = readSettings(session);
  const rows = profileMatrix(settings.manifest.profiles.values(), env);
  const checks = live
    ? await withSharedLimits(settings, (pacer) => checkEach(session, settings, rows, pacer))
    : new Map<string, LiveCheck>();
  output.document({
    profiles: rows.map((row) => ({ ...row, live: documentOf(checks.get(row.name)) })),
  });
  const head = ["profile", "provider", "model", "dims", "similarity", "tokenizer", "capabilities", "missing"];
  const cells = rows.map((row) => [
    row.name === settings.active?.name ? `${row.name} *` : row.name,
    row.provider,
    row.model,
    String(row.dims),
    row.similarity,
    row.tokenizer,
    row.capabilities.join(","),
    row.missing.join(",") || "-",
  ]);
  for (const line of table(head, cells)) output.line(line);
  output.line(`* active in environment ${settings.environment}`);
  if (!live) return 0;
  output.line();
  const asked = rows.map(({ name, missing }) => [name, ...liveCells(checks.get(name), missing)]);
  for (const line of table(["profile", "live", "dims", "norm", "ms", "model named"], asked)) output.line(line);
  for (const [name, { error }] of checks) {
    if (error === null) continue;
    output.note(
      `${paint(output, "red", "error")} ${paint(output, "bold", error.code)} profile ${name}: ${error.message}`,
    );
    output.note(`  ${paint(output, "cyan", "->")} ${error.hint}`);
  }
  return [...checks.values()].every(({ ok }) => ok) ? 0 : 1;
};

/**
 * A server is shared by every process that asks these services: what is asked here is counted with the rest. An embedded database belongs to the
 * process that holds it, which this command must not need.
 */
const withSharedLimits = <T>(settings: Settings, work: (pacer: ProviderOptions["pacer"]) => Promise<T>): Promise<T> =>
  settings.databaseUrl === null ? work(undefined) : withStore(settings, ({ rateLimits }) => work(rateLimits));

/** One after the other: models in process share the processor, and their latency is to be seen. */
async function checkEach(
  { env, signal, nowMs, output }: Session,
  { manifest, paths }: Settings,
  rows: readonly ProfileRow[],
  pacer: ProviderOptions["pacer"],
): Promise<ReadonlyMap<string, LiveCheck>> {
  const access = { env, dataDir: paths.dataDir, modelsDir: paths.modelsDir ?? undefined, pacer };
  const checks = new Map<string, LiveCheck>();
  for (const { name, missing } of rows) {
    const profile = manifest.profiles.get(name);
    if (profile === undefined || missing.length > 0) continue;
    output.note(`asking ${name}`);
    checks.set(name, await checkLive(profile, access, { signal, timeoutMs: LIVE_TIMEOUT_MS, nowMs }));
  }
  return checks;
}

const documentOf = (check: LiveCheck | undefined) => {
  if (check === undefined) return null;
  const { latencyMs, ...rest } = check;
  return { ...rest, latency_ms: latencyMs };
};

function liveCells(check: LiveCheck | undefined, missing: readonly string[]): string[] {
  if (check === undefined) return [`not asked: ${missing.join(", ")} missing`, "", "", "", ""];
  const { ok, dims, norm, latencyMs, model } = check;
  return [ok ? "ok" : "failed", shown(dims, 0), shown(norm, 4), shown(latencyMs, 1), model ?? "-"];
}

const shown = (value: number | null, digits: number): string => (value === null ? "-" : value.toFixed(digits));
