import { EmbError, nearest, type ErrorCode } from "@emb/manifest";

/** The rule that let an override through. */
export type Permission = "environment" | "swappable" | "experiment";

export interface GateInput {
  /** In any letter case. An empty or unknown name is guarded. */
  readonly environment: string;
  readonly baseline: string;
  /** Required, so that no caller forgets it. Undefined and empty: nothing is requested. */
  readonly requested: string | undefined;
  readonly swappable: boolean;
  readonly experiment: string | undefined;
  /** Profile names of the manifest. */
  readonly known: Iterable<string>;
}

interface Asked {
  readonly environment: string;
  readonly baseline: string;
  /** Null when nothing was requested. */
  readonly requested: string | null;
  /** A sentence for people: what was decided and why. */
  readonly reason: string;
}

export type GateDecision =
  | (Asked & { readonly kind: "baseline"; readonly profile: string })
  | (Asked & { readonly kind: "override"; readonly profile: string; readonly permittedBy: Permission })
  | (Asked & {
      readonly kind: "refused";
      readonly code: Extract<ErrorCode, "EMB_PROFILE_UNKNOWN" | "EMB_PROFILE_OVERRIDE_REFUSED">;
      /** One action. */
      readonly hint: string;
    });

const OPEN_ENVIRONMENTS: ReadonlySet<string> = new Set(["development", "dev", "test"]);

const normalised = (environment: string) => environment.trim().toLowerCase();

/** True for development, dev and test in any letter case; every other environment is guarded. */
export const isOpenEnvironment = (environment: string): boolean => OPEN_ENVIRONMENTS.has(normalised(environment));

/**
 * Which profile one use may take: the active profile, a canary, a shadow, the target of a fill. Pure. Fails closed: without
 * a rule that permits it, an override is refused. The first rule that holds decides; they are design.md section 4.
 */
export function decideGate(input: GateInput): GateDecision {
  const { baseline, swappable, experiment } = input;
  const known = new Set(input.known);
  const environment = normalised(input.environment);
  const requested = input.requested === undefined || input.requested === "" ? null : input.requested;
  const profile = requested ?? baseline;
  const asked = { environment, baseline, requested };

  const unknown = [profile, baseline].find((name) => !known.has(name));
  if (unknown !== undefined) return { kind: "refused", ...asked, ...unknownProfile(unknown, asked, known) };
  if (profile === baseline) {
    const why = requested === null ? "nothing else is requested" : "it is what is requested";
    return {
      kind: "baseline",
      ...asked,
      profile,
      reason: `environment ${environment} runs its baseline profile ${baseline}: ${why}`,
    };
  }
  const permit = (permittedBy: Permission, by: string): GateDecision => {
    const reason = `environment ${environment} runs profile ${profile} instead of its baseline ${baseline}: permitted by ${by}`;
    return { kind: "override", ...asked, profile, permittedBy, reason };
  };
  if (isOpenEnvironment(environment)) return permit("environment", "the environment, which is open");
  if (swappable) return permit("swappable", "EMBEDDING_PROFILE_SWAPPABLE=true");
  if (experiment === profile) return permit("experiment", `EMBEDDING_PROFILE_EXPERIMENT=${profile}`);
  return {
    kind: "refused",
    ...asked,
    code: "EMB_PROFILE_OVERRIDE_REFUSED",
    reason:
      `environment ${environment} has the baseline profile ${baseline} and does not permit the requested profile ${profile}; ` +
      `EMBEDDING_PROFILE_EXPERIMENT=${profile} or EMBEDDING_PROFILE_SWAPPABLE=true would permit it`,
    hint: `Keep to ${baseline}, or set EMBEDDING_PROFILE_EXPERIMENT=${profile} once the change is approved.`,
  };
}

function unknownProfile(
  name: string,
  asked: Pick<Asked, "environment" | "baseline" | "requested">,
  known: ReadonlySet<string>,
) {
  const near = nearest(name, known);
  const role = name === asked.requested ? "requested" : "baseline";
  return {
    code: "EMB_PROFILE_UNKNOWN",
    reason: `the ${role} profile "${name}" of environment ${asked.environment} is not in the manifest`,
    hint: near === null ? `Name one of: ${[...known].join(", ")}.` : `Did you mean "${near}"?`,
  } as const;
}

/** A refused decision as the error that stops a process. */
export const gateError = (refused: Extract<GateDecision, { kind: "refused" }>): EmbError =>
  new EmbError(refused.code, refused.reason, {
    hint: refused.hint,
    context: {
      environment: refused.environment,
      baseline: refused.baseline,
      ...(refused.requested === null ? {} : { requested: refused.requested }),
    },
  });

/** A sentence for each flag that let none of these uses through: it was set for something that did not happen. */
export function flagsWithoutEffect(
  decisions: readonly GateDecision[],
  flags: { readonly swappable: boolean; readonly experiment: string | undefined },
): { readonly variable: string; readonly message: string }[] {
  const used = new Set(decisions.map((decision) => (decision.kind === "override" ? decision.permittedBy : null)));
  const set: [Permission, variable: string, value: string | undefined][] = [
    ["swappable", "EMBEDDING_PROFILE_SWAPPABLE", flags.swappable ? "true" : undefined],
    ["experiment", "EMBEDDING_PROFILE_EXPERIMENT", flags.experiment],
  ];
  return set
    .filter(([permission, , value]) => value !== undefined && !used.has(permission))
    .map(([, variable, value]) => ({ variable, message: `${variable}=${value} has no effect: no override needs it` }));
}
