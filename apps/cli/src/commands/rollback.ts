import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "@emb/config";
import { decideRollback, newestRun, rollBack, UNFINISHED } from "@emb/ingest";
import { EmbError, fingerprint, namespaceName } from "@emb/manifest";
import type { NamespaceRecord, Store } from "@emb/store";
import { actor, findProfile } from "@emb/query";
import { liveWorkers } from "../live-workers.js";
import { readSettings } from "../read-settings.js";
import { withStore } from "@emb/query";
import type { Command, Session } from "../session.js";
import { wholeNumber } from "../whole-number.js";

export interface RollbackOptions {
  readonly to?: string;
  readonly base?: string;
  readonly acceptStale: boolean;
  readonly wait: boolean;
  readonly timeoutS?: string;
}

const READERS_WITHIN_MS = 30_000;
const POLL_MS = 1000;
const WAIT_S = 300;
const MAX_SET_ASIDE = 1_000_000;

/**
 * Ends fills of the other profiles, checks that the profile's namespace can serve at once, and prints what to set. Edits no file, embeds
 * nothing. Exit 1 when it cannot serve, or readers did not follow in time.
 */
export const rollback: Command<RollbackOptions> = async (session, options) => {
  const { output } = session;
  const settings = readSettings(session);
  const timeoutS = options.timeoutS === undefined ? WAIT_S : wholeNumber("--timeout-s", options.timeoutS);
  const base = options.base ?? settings.store.baseNamespace;
  return withStore(settings, async (store) => {
    const { from, to } = await chooseDirection(settings, store, base, options.to);
    const profile = findProfile(settings, to);
    const address = namespaceName({
      base,
      profile,
      mode: settings.namespaceMode,
      maxLength: store.capabilities.maxNamespaceBytes,
    });
    const baseMode = await store.namespaces.modeOf(base);
    if (baseMode !== null && baseMode !== settings.namespaceMode)
      throw new EmbError(
        "EMB_NAMESPACE_MODE_MISMATCH",
        `base ${base}: expected namespace mode ${baseMode}, with which it was made, got ${settings.namespaceMode}`,
        { hint: `Set EMBEDDING_NAMESPACE_MODE=${baseMode}.` },
      );
    const record = await store.namespaces.find(address);
    const { lag, setAside, retry } =
      record === null || record.state === "retired"
        ? FRESH
        : await behind(session, store, record, options.wait && !options.acceptStale ? timeoutS : 0);
    const decision = decideRollback({
      to,
      record,
      lag,
      acceptStale: options.acceptStale,
      expectedFingerprint: fingerprint(profile),
      runs: await store.runs.list({ base }),
    });
    if (!decision.ok) {
      output.document({
        ok: false,
        from,
        to,
        texts_embedded: 0,
        code: "EMB_ROLLBACK_REFUSED",
        lag,
        set_aside: setAside,
        reasons: decision.reasons,
      });
      output.line(`refused  ${from} -> ${to}`);
      for (const reason of decision.reasons) output.line(`  ${reason}`);
      output.line(
        retry === null
          ? `  -> emb reingest --to ${to} brings it up to date${lag > 0 ? "; --wait waits for a worker to, --accept-stale goes back without" : ""}.`
          : `  -> emb status names what was set aside, ${retry} tries it again; --accept-stale goes back without.`,
      );
      return 1;
    }
    await rollBack(store, { decision, from, actor: actor() });
    const restore = restoreSteps(settings, to);
    output.document({
      ok: true,
      from,
      to,
      namespace: record?.namespace,
      texts_embedded: 0,
      lag,
      ended_runs: decision.endRuns.map(({ id }) => id),
      ...restore,
    });
    output.line(
      `rolled back  ${from} -> ${to}: ${decision.to.namespace} is ready, ${decision.endRuns.length} fills ended, 0 texts embedded`,
    );
    output.line("To serve it, start the services with:");
    for (const line of restore.environment) output.line(`  ${line}`);
    output.line(`and keep in ${settings.paths.environmentFile}:`);
    for (const line of restore.yaml.split("\n")) output.line(`  ${line}`);
    return options.wait ? waitForReaders(session, store, { base, to, timeoutS }) : 0;
  });
};

/** From what serves now to the profile asked for, else to the one that served before, else to the baseline. */
async function chooseDirection(settings: Settings, store: Store, base: string, asked: string | undefined) {
  const { environment, baseline, active } = settings;
  const history = await store.readers.servingHistory({ environment, base, limit: 2 });
  const from = history[0]?.profile ?? active?.name ?? baseline;
  const to = asked ?? (from === baseline ? history[1]?.profile : baseline);
  if (to === undefined)
    throw new EmbError(
      "EMB_USAGE",
      `expected a profile to go back to; ${from} is the baseline, and nothing served before it`,
      {
        hint: "Name it: emb rollback --to PROFILE.",
      },
    );
  return { from, to };
}

/** Exactly what makes a service of this environment run `to`. */
function restoreSteps({ baseline, open }: Settings, to: string): { environment: string[]; yaml: string } {
  const yaml = `embedding:\n  profile: ${to}`;
  if (to === baseline) return { environment: ["unset EMBEDDINGS_PROFILE", "unset EMBEDDING_PROFILE_EXPERIMENT"], yaml };
  return { environment: [`EMBEDDINGS_PROFILE=${to}`, ...(open ? [] : [`EMBEDDING_PROFILE_EXPERIMENT=${to}`])], yaml };
}

/** How a namespace is behind. */
interface Behind {
  readonly lag: number;
  /** Documents among them that were set aside. */
  readonly setAside: number;
  /** What tries them again, when the whole lag is set aside and no run is at it; else null. */
  readonly retry: string | null;
}

const FRESH: Behind = { lag: 0, setAside: 0, retry: null };

/**
 * The lag now, or as soon as it is 0: workers bring what is queued. Nobody is waited for where none reports, nor for what was set aside, which no worker
 * brings; a rollback embeds nothing itself.
 */
async function behind(session: Session, store: Store, record: NamespaceRecord, timeoutS: number): Promise<Behind> {
  const reader = await store.namespaces.openReader(record, record.seal, { strict: true });
  const endMs = session.nowMs() + timeoutS * 1000;
  let told = false;
  for (;;) {
    const lag = await reader.lag();
    if (lag === 0) return FRESH;
    const setAside = await countSetAside(store, record);
    const retry = setAside < lag ? null : await retryOf(store, record);
    const seen = { lag, setAside, retry };
    if (session.nowMs() >= endMs) return seen;
    if (retry !== null) {
      session.output.note(
        `${record.namespace}: all ${lag} documents that are not as they are now were set aside, and no worker brings them: emb status names them, ${retry} tries them again`,
      );
      return seen;
    }
    if ((await liveWorkers(store)).length === 0) {
      session.output.note(
        `${record.namespace}: ${lag} documents are not as they are now, and no worker reports that would bring them: start emb-ingest-worker`,
      );
      return seen;
    }
    if (!told)
      session.output.note(`${record.namespace}: ${lag} documents are not as they are now; waiting for a worker`);
    told = true;
    await sleep(POLL_MS, undefined, { signal: session.signal });
  }
}

/** Documents of which nothing newest is shown; those that lack a text only are shown, and no lag. */
const countSetAside = async (store: Store, { id }: NamespaceRecord): Promise<number> =>
  (await store.changes.setAside(id, MAX_SET_ASIDE)).filter(({ ordinals }) => ordinals.length === 0).length;

/** null: an unfinished run is at it. */
async function retryOf(store: Store, record: NamespaceRecord): Promise<string | null> {
  const newest = await newestRun({ store }, record);
  if (newest !== undefined && UNFINISHED.includes(newest.state)) return null;
  const ended = newest?.state === "ready" || newest?.state === "failed";
  return ended ? `emb runs retry ${newest.id}` : `emb reingest --to ${record.seal.profile}`;
}

async function waitForReaders(
  session: Session,
  store: Store,
  { base, to, timeoutS }: { base: string; to: string; timeoutS: number },
): Promise<number> {
  const endMs = session.nowMs() + timeoutS * 1000;
  for (;;) {
    const readers = (await store.readers.list({ withinMs: READERS_WITHIN_MS, base })).filter(
      ({ use }) => use === "serving", // a shadow asks a candidate, whatever serves
    );
    const others = readers.filter(({ profile }) => profile !== to);
    if (readers.length > 0 && others.length === 0) {
      session.output.note(`${readers.length} readers report ${to}`);
      return 0;
    }
    if (session.nowMs() >= endMs) {
      session.output.note(`after ${timeoutS} s: ${readers.length} readers, ${others.length} of them not on ${to}`);
      return 1;
    }
    await sleep(POLL_MS, undefined, { signal: session.signal });
  }
}
