import { gateAsk, missingRequirements, type Settings } from "@emb/config";
import { planReingest, STORED_DOCUMENTS, targetAddress, type Plan } from "@emb/ingest";
import { createCounting } from "@emb/ingest-worker";
import { fingerprint, isEmbError, type Profile } from "@emb/manifest";
import { findProfile, withStore } from "@emb/query";
import type { Store } from "@emb/store";
import { comparisonSettings } from "../evaluation/comparison-settings.js";
import { decideByQueries } from "../evaluation/decide-by-queries.js";
import { paint, type Output } from "../output.js";
import { readSettings } from "../read-settings.js";
import {
  alreadyBaselineStep,
  compareStep,
  concludeChecklist,
  failedStep,
  gateStep,
  planStep,
  requirementsStep,
  verifyStep,
  waitingStep,
  type Step,
  type StepState,
} from "../rollout/checklist.js";
import type { Command, Session } from "../session.js";
import { verifyProfile } from "./verify-namespace.js";

export interface RolloutCheckOptions {
  readonly to: string;
  readonly queries?: string;
  readonly base?: string;
}

/** What the steps look at. */
interface Candidate {
  readonly settings: Settings;
  readonly profile: Profile;
  readonly base: string;
  /** Of the commands that are shown: ` --base NAME`, where it is not the environment's own. */
  readonly onBase: string;
}

/**
 * What stands between this environment and a new baseline: gate, requirements, plan, verify and compare, with the command for each item that is open. Not
 * gated itself: it serves nothing, fills nothing, and keeps the verdict. Exit 0 nothing is left, 1 something is, 3 not everything could be decided.
 */
export const rolloutCheck: Command<RolloutCheckOptions> = async (session, options) => {
  const settings = readSettings(session, options.to);
  const { output, env } = session;
  const profile = findProfile(settings, options.to);
  const base = options.base ?? settings.store.baseNamespace;
  const onBase = base === settings.store.baseNamespace ? "" : ` --base ${base}`;
  const candidate = { settings, profile, base, onBase };

  const requirements = requirementsStep(missingRequirements(profile, env));
  const [plan, verify] = await withStore(settings, async (store) => {
    const planned = await attempt(session, "plan", () => lookAtNamespace(session, store, candidate));
    const blocking = [requirements, planned].find(({ state }) => state !== "ok");
    if (blocking !== undefined) return [planned, waitingStep("verify", blocking.name)] as const;
    const verified = await attempt(session, "verify", async () =>
      verifyStep(await verifyProfile(session, { settings, store, base, profile }), fillCommand(candidate, "stored")),
    );
    return [planned, verified] as const;
  });
  const compared =
    verify.state === "ok"
      ? await attempt(session, "compare", () => decide(session, candidate, options.queries))
      : waitingStep("compare", "verify");
  const steps = [gateStep(gateAsk(settings, profile.name)), requirements, plan, verify, compared];
  const { ok, exitCode } = concludeChecklist(steps);
  const next = ok ? nextCommand(candidate) : null;
  output.document({
    ok,
    environment: settings.environment,
    baseline: settings.baseline,
    to: profile.name,
    base,
    steps: steps.map(({ name, state, seen, action }) => ({ name, ok: state === "ok", state, seen, action })),
    next,
  });
  output.line(`${settings.environment}: ${settings.baseline} -> ${profile.name}`);
  for (const line of steps.flatMap((step) => stepLines(step, output))) output.line(line);
  output.line(conclusion(exitCode, next));
  return exitCode;
};

/** A step that fails is an item of the list; only what ends the command ends the list. */
async function attempt(session: Session, name: Step["name"], look: () => Promise<Step>): Promise<Step> {
  try {
    return await look();
  } catch (error) {
    if (session.signal.aborted || !isEmbError(error)) throw error;
    return failedStep(name, error);
  }
}

async function lookAtNamespace(session: Session, store: Store, candidate: Candidate): Promise<Step> {
  const { settings, profile, base } = candidate;
  const address = targetAddress({ base, mode: settings.namespaceMode, provider: { profile }, store });
  const record = await store.namespaces.find(address);
  const there = record !== null && record.state !== "retired";
  const lag = there ? await (await store.namespaces.openReader(record, record.seal, { strict: true })).lag() : 0;
  const found = { namespace: address.namespace, record, fingerprint: fingerprint(profile), lag };
  const done = planStep({ ...found, work: null, fill: "" });
  if (done.state === "ok") return done;
  const work = await storedWork(session, store, candidate);
  return planStep({ ...found, work, fill: fillCommand(candidate, work === null ? "SOURCE" : "stored") });
}

/** What a fill from the stored documents would take; null when none are stored. */
async function storedWork(
  session: Session,
  store: Store,
  { settings, profile, base }: Candidate,
): Promise<Plan | null> {
  try {
    return await planReingest({
      store,
      base,
      mode: settings.namespaceMode,
      provider: { profile },
      source: STORED_DOCUMENTS,
      signal: session.signal,
      ...(await createCounting(settings, session.env, profile)),
    });
  } catch (error) {
    if (isEmbError(error, "EMB_SOURCE_EMPTY")) return null;
    throw error;
  }
}

async function decide(session: Session, candidate: Candidate, queries: string | undefined): Promise<Step> {
  const { settings, profile, base, onBase } = candidate;
  if (profile.name === settings.baseline) return alreadyBaselineStep(profile.name);
  const { comparison } = await decideByQueries(session, {
    settings,
    baseline: settings.baseline,
    candidate: profile.name,
    flags: { base, ingest: false, asServed: false, ...(queries !== undefined && { queries }) },
    deciding: comparisonSettings({}, settings.rollout),
    maxCostUsd: null,
  });
  const from = queries === undefined ? "" : ` --queries ${queries}`;
  const command = `emb compare --baseline ${settings.baseline} --candidate ${profile.name}${from}${onBase}`;
  return compareStep(comparison, settings.baseline, command);
}

const fillCommand = ({ profile, onBase }: Candidate, source: string): string =>
  `emb reingest --to ${profile.name} --source ${source}${onBase} --yes`;

const nextCommand = ({ settings: { environment, baseline }, profile: { name } }: Candidate): string | null =>
  name === baseline ? null : `emb rollout lock-in --env ${environment} --to ${name} --write`;

const MARKS = {
  ok: ["green", "ok     "],
  open: ["red", "open   "],
  undecided: ["yellow", "unclear"],
  waits: ["dim", "waits  "],
} as const satisfies Record<StepState, readonly [Parameters<typeof paint>[1], string]>;

function stepLines({ name, state, seen, action }: Step, output: Pick<Output, "color">): string[] {
  const [style, word] = MARKS[state];
  const line = `  ${paint(output, style, word)}  ${name.padEnd(12)}  ${seen}`;
  return action === null || state === "waits" ? [line] : [line, `           -> ${action}`];
}

function conclusion(exitCode: 0 | 1 | 3, next: string | null): string {
  if (exitCode === 1) return "not yet";
  if (exitCode === 3) return "undecided";
  return next === null ? "it is the baseline, and nothing is left to do" : `nothing stands between: ${next}`;
}
