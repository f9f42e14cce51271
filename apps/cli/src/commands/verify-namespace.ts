import type { Settings } from "@emb/config";
import { newestRun, setAsideTexts, targetAddress, UNFINISHED, verifyNamespace, type Verification } from "@emb/ingest";
import { fingerprint, spaceId, type Profile } from "@emb/manifest";
import type { Store } from "@emb/store";
import { readSettings } from "../read-settings.js";
import { createModel } from "@emb/ingest-worker";
import { findProfile, withStore } from "@emb/query";
import { paint } from "../output.js";
import { createProgressView } from "../progress.js";
import type { Command, Session } from "../session.js";

/** Reads a namespace back and compares it with the system of record. Exit 1 when a check fails. Writes nothing. */
export const verifyNamespaceCommand: Command<{ profile?: string; base?: string }> = async (session, options) => {
  const { output } = session;
  const settings = readSettings(session);
  const profile = findProfile(settings, options.profile ?? settings.active?.name ?? settings.baseline);
  const base = options.base ?? settings.store.baseNamespace;
  return withStore(settings, async (store) => {
    const result = await verifyProfile(session, { settings, store, base, profile });
    const { ok, namespace, missing, duplicate, stale, driftPct, checks } = result;
    output.document({
      ok,
      namespace,
      expected: result.expected,
      found: result.found,
      missing,
      duplicate,
      stale,
      drift_pct: driftPct,
      lag: result.lag,
      checks,
      damaged: result.damaged.slice(0, 100),
    });
    const word = ok ? paint(output, "green", "ok") : paint(output, "red", "not ok");
    output.line(`${word}  ${namespace}: ${result.found} of ${result.expected} chunks, drift ${driftPct.toFixed(3)}%`);
    if (result.lag > 0) output.line(`  ${result.lag} documents are on their way here: they are no drift`);
    for (const check of checks)
      output.line(`  ${check.ok ? "ok  " : "FAIL"}  ${check.name.padEnd(10)} seen ${check.seen}, want ${check.want}`);
    return ok ? 0 : 1;
  });
};

/** Compares a profile's namespace with the system of record, by its model. @throws EmbError EMB_NAMESPACE_NOT_FOUND, EMB_SEAL_MISMATCH */
export async function verifyProfile(
  session: Session,
  { settings, store, base, profile }: { settings: Settings; store: Store; base: string; profile: Profile },
): Promise<Verification> {
  const { provider, chunker } = await createModel(settings, session.env, profile, { pacer: store.rateLimits });
  const view = createProgressView(session.output, session.nowMs);
  try {
    const address = targetAddress({ base, mode: settings.namespaceMode, provider, store });
    const expected = {
      profile: profile.name,
      spaceId: spaceId(profile),
      fingerprint: fingerprint(profile),
      dims: profile.dims,
    };
    const reader = await store.namespaces.openReader(address, expected, { strict: true });
    const latest = await newestRun({ store }, reader.record);
    const setAside = await setAsideTexts(store, {
      runId: latest?.id ?? null,
      namespaceId: reader.record.id,
      limit: 10_000,
    });
    const { chunks: chunksTotal } = await reader.count();
    const verification = await verifyNamespace({
      documents: store.documents,
      reader,
      provider,
      chunker,
      setAside,
      filling: latest !== undefined && UNFINISHED.includes(latest.state),
      signal: session.signal,
      acceptFailures: latest?.acceptFailures ?? 0,
      limits: settings.verify,
      onProgress: (chunks) => view.update({ kind: "verify", chunks, chunksTotal }),
    });
    // right in all that is there is not yet whole: a fill's documents are on their way
    const { state } = reader.record;
    const whole = { name: "state", ok: state === "ready", seen: state, want: "ready" } as const;
    return { ...verification, ok: verification.ok && whole.ok, checks: [...verification.checks, whole] };
  } finally {
    view.end();
    await provider.close();
  }
}
