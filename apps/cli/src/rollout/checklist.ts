import type { GateDecision } from "@emb/config";
import type { Plan, Verification } from "@emb/ingest";
import type { EmbError } from "@emb/manifest";
import type { Comparison } from "@emb/eval";
import type { NamespaceRecord, Seal } from "@emb/store";

/**
 * ok: nothing is left to do. open: something is. undecided: it cannot be said now, because a service is away or the queries do not tell.
 * waits: an earlier step has to be ok first.
 */
export type StepState = "ok" | "open" | "undecided" | "waits";

export interface Step {
  readonly name: "gate" | "requirements" | "plan" | "verify" | "compare";
  readonly state: StepState;
  readonly seen: string;
  /** One thing to do, a command where there is one; null when ok. */
  readonly action: string | null;
}

const ok = (name: Step["name"], seen: string): Step => ({ name, state: "ok", seen, action: null });

export function gateStep(decision: GateDecision): Step {
  const { reason } = decision;
  return decision.kind === "refused"
    ? { name: "gate", state: "open", seen: reason, action: decision.hint }
    : ok("gate", reason);
}

export const requirementsStep = (missing: readonly string[]): Step =>
  missing.length === 0
    ? ok("requirements", "every variable that the profile needs is set")
    : {
        name: "requirements",
        state: "open",
        seen: `unset: ${missing.join(", ")}`,
        action: `Set ${missing.join(" and ")}.`,
      };

/** Whether the namespace holds every document as it is now. `work` is asked only where it does not: what would be left to embed; null: unknown. */
export function planStep(found: {
  readonly namespace: string;
  readonly record: (Pick<NamespaceRecord, "state"> & { readonly seal: Pick<Seal, "fingerprint"> }) | null;
  readonly fingerprint: string;
  readonly lag: number;
  readonly work: Pick<Plan, "documents" | "chunks" | "tokens" | "costUsd"> | null;
  /** The command that fills it. */
  readonly fill: string;
}): Step {
  const { namespace, record, fingerprint, lag, work, fill } = found;
  const open = (seen: string, action: string): Step => ({ name: "plan", state: "open", seen, action });
  if (record === null || record.state === "retired") return open(`${namespace} is not there${workLeft(work)}`, fill);
  if (record.seal.fingerprint !== fingerprint)
    return open(
      `${namespace} is sealed for fingerprint ${record.seal.fingerprint.slice(0, 12)}, and the manifest has ${fingerprint.slice(0, 12)}`,
      "Give the changed model a new profile name in the manifest.",
    );
  if (record.state !== "ready") return open(`${namespace} is in state ${record.state}${workLeft(work)}`, fill);
  if (lag > 0) return open(`${namespace} lags behind by ${lag} documents${workLeft(work)}`, fill);
  return ok("plan", `${namespace} is ready and holds every document`);
}

function workLeft(work: Pick<Plan, "documents" | "chunks" | "tokens" | "costUsd"> | null): string {
  if (work === null) return "";
  const price = work.costUsd === null ? "price unknown" : `${work.costUsd.toFixed(4)} USD`;
  return `: ${work.chunks.toEmbed} of ${work.chunks.total} chunks of ${work.documents} documents to embed, ${work.tokens} tokens, ${price}`;
}

export function verifyStep(
  result: Pick<Verification, "ok" | "namespace" | "expected" | "found" | "driftPct" | "checks">,
  repair: string,
): Step {
  const { namespace, expected, found, driftPct } = result;
  const counted = `${namespace}: ${found} of ${expected} chunks, drift ${driftPct.toFixed(3)}%`;
  if (result.ok) return ok("verify", counted);
  const failed = result.checks.filter((check) => !check.ok);
  const named = failed.map(({ name, seen, want }) => `${name} seen ${seen}, want ${want}`);
  return { name: "verify", state: "open", seen: [counted, ...named].join("; "), action: repair };
}

/** @param command that compares again, and shows everything */
export function compareStep(
  { verdict, warnings }: Pick<Comparison, "verdict" | "warnings">,
  baseline: string,
  command: string,
): Step {
  const [first] = verdict.reasons;
  const told = first === undefined ? verdict.kind : `${verdict.kind}: ${first.text}`;
  const seen = [told, ...warnings.map(({ text }) => `warning: ${text}`)].join("; ");
  if (verdict.kind === "GO") return ok("compare", seen);
  if (verdict.kind === "NO-GO")
    return { name: "compare", state: "open", seen, action: `Keep ${baseline}. Where it is worse: ${command}` };
  const { queriesNeeded } = verdict;
  const judge = queriesNeeded === null ? "Judge more queries" : `Judge about ${queriesNeeded} queries in all`;
  return { name: "compare", state: "undecided", seen, action: `${judge}, then: ${command}` };
}

export const alreadyBaselineStep = (profile: string): Step =>
  ok("compare", `${profile} is the baseline: there is nothing to compare it with`);

/** A step that could not be taken. What can help later, such as a service that is away, decides nothing. */
export const failedStep = (
  name: Step["name"],
  error: Pick<EmbError, "code" | "message" | "hint" | "retryable">,
): Step => ({
  name,
  state: error.retryable ? "undecided" : "open",
  seen: `${error.code} ${error.message}`,
  action: error.hint,
});

export const waitingStep = (name: Step["name"], before: Step["name"]): Step => ({
  name,
  state: "waits",
  seen: `not looked at: ${before} comes first`,
  action: `See ${before}.`,
});

/** 0: nothing is left. 1: something is. 3: nothing is known to be, and not everything could be decided. Fails closed. */
export function concludeChecklist(steps: readonly Pick<Step, "state">[]): { ok: boolean; exitCode: 0 | 1 | 3 } {
  if (steps.some(({ state }) => state === "open")) return { ok: false, exitCode: 1 };
  const done = steps.length > 0 && steps.every(({ state }) => state === "ok");
  return done ? { ok: true, exitCode: 0 } : { ok: false, exitCode: 3 };
}
