import { describe, expect, it } from "vitest";
import {
  decideGate,
  flagsWithoutEffect,
  gateError,
  isOpenEnvironment,
  type GateDecision,
  type GateInput,
} from "./override-gate.js";

const known = ["jina_v3", "bge_m3", "st_minilm"];
const environments = [
  ["development", true],
  ["dev", true],
  ["test", true],
  ["DEVELOPMENT", true],
  ["Dev", true],
  [" Test ", true],
  ["production", false],
  ["Production", false],
  ["staging", false],
  ["prod", false],
  ["tests", false],
  ["developmen", false],
  ["dev-eu", false],
  ["", false],
] as const;
const baselines = ["jina_v3", "JINA_V3", "nowhere", ""];
const requests = [undefined, "", "jina_v3", "Jina_v3", "bge_m3", "BGE_M3", "st_minilm", "nowhere", " bge_m3"];
const experiments = [undefined, "", "jina_v3", "bge_m3", "BGE_M3", "st_minilm", "nowhere", " bge_m3"];

const short = (decision: GateDecision): string => {
  if (decision.kind === "refused") return `refused ${decision.code}`;
  return decision.kind === "baseline"
    ? `baseline ${decision.profile}`
    : `override ${decision.profile} by ${decision.permittedBy}`;
};

/** The rules again, from design.md section 4 and not from the code: every permission is looked up, then the first counts. */
const oracle = (
  open: boolean,
  baseline: string,
  requested: string | undefined,
  swappable: boolean,
  experiment: string | undefined,
): string => {
  const names = requested ? [requested, baseline] : [baseline];
  if (names.some((name) => known.indexOf(name) === -1)) return "refused EMB_PROFILE_UNKNOWN";
  if (!requested || requested === baseline) return `baseline ${baseline}`;
  const permissions = { environment: open, swappable, experiment: requested === experiment };
  const [first] = Object.entries(permissions).flatMap(([by, holds]) => (holds ? [by] : []));
  return first ? `override ${requested} by ${first}` : "refused EMB_PROFILE_OVERRIDE_REFUSED";
};

describe("decideGate", () => {
  it("answers the whole product of its inputs as the rules say", () => {
    const seen: Record<string, number> = {};
    for (const [environment, open] of environments)
      for (const baseline of baselines)
        for (const requested of requests)
          for (const swappable of [false, true])
            for (const experiment of experiments) {
              const answer = short(decideGate({ environment, baseline, requested, swappable, experiment, known }));
              const row = JSON.stringify({ environment, baseline, requested, swappable, experiment });
              expect(`${row} ${answer}`).toBe(`${row} ${oracle(open, baseline, requested, swappable, experiment)}`);
              const kind = answer.replace(/^(baseline|override) \w+/, "$1");
              seen[kind] = (seen[kind] ?? 0) + 1;
            }
    // 14 environments x 4 baselines x 9 requests x 2 x 8. Of the 9 requests under a known baseline, 3 are it, 2 differ, 4 are unknown.
    expect(seen).toEqual({
      "refused EMB_PROFILE_UNKNOWN": 14 * 16 * (3 * 9 + 4),
      baseline: 14 * 16 * 3,
      "override by environment": 6 * 16 * 2,
      "override by swappable": 8 * 8 * 2,
      "override by experiment": 8 * 2,
      "refused EMB_PROFILE_OVERRIDE_REFUSED": 8 * 7 * 2,
    });
  });

  const guarded: GateInput = {
    environment: "production",
    baseline: "jina_v3",
    requested: "bge_m3",
    swappable: false,
    experiment: undefined,
    known,
  };
  it.each<[string, Partial<GateInput>, string]>([
    ["nothing permits it", {}, "refused EMB_PROFILE_OVERRIDE_REFUSED"],
    ["nothing is requested", { requested: undefined }, "baseline jina_v3"],
    ["the baseline is requested", { requested: "jina_v3" }, "baseline jina_v3"],
    ["the baseline is requested in another case", { requested: "JINA_V3" }, "refused EMB_PROFILE_UNKNOWN"],
    ["the environment is open", { environment: "test" }, "override bge_m3 by environment"],
    ["the environment almost is", { environment: "testing" }, "refused EMB_PROFILE_OVERRIDE_REFUSED"],
    ["the flag is set", { swappable: true }, "override bge_m3 by swappable"],
    ["the experiment names it", { experiment: "bge_m3" }, "override bge_m3 by experiment"],
    ["the experiment is mistyped", { experiment: "bge_m33" }, "refused EMB_PROFILE_OVERRIDE_REFUSED"],
    ["the experiment names another", { experiment: "st_minilm" }, "refused EMB_PROFILE_OVERRIDE_REFUSED"],
    ["the experiment is set and nothing requested", { requested: undefined, experiment: "bge_m3" }, "baseline jina_v3"],
    ["both flags permit it", { swappable: true, experiment: "bge_m3" }, "override bge_m3 by swappable"],
    ["the baseline is unknown, though open", { environment: "dev", baseline: "gone" }, "refused EMB_PROFILE_UNKNOWN"],
    [
      "the request is unknown, though all permits it",
      { environment: "dev", requested: "gone", swappable: true, experiment: "gone" },
      "refused EMB_PROFILE_UNKNOWN",
    ],
    ["the manifest is empty", { known: [] }, "refused EMB_PROFILE_UNKNOWN"],
    ["a name is one of Object's", { requested: "constructor", swappable: true }, "refused EMB_PROFILE_UNKNOWN"],
  ])("when %s", (_, changes, expected) => {
    expect(short(decideGate({ ...guarded, ...changes }))).toBe(expected);
  });

  it("names environment, baseline, requested profile and what would permit it", () => {
    expect(decideGate({ ...guarded, environment: "Production" })).toEqual({
      kind: "refused",
      environment: "production",
      baseline: "jina_v3",
      requested: "bge_m3",
      code: "EMB_PROFILE_OVERRIDE_REFUSED",
      reason:
        "environment production has the baseline profile jina_v3 and does not permit the requested profile bge_m3; " +
        "EMBEDDING_PROFILE_EXPERIMENT=bge_m3 or EMBEDDING_PROFILE_SWAPPABLE=true would permit it",
      hint: "Keep to jina_v3, or set EMBEDDING_PROFILE_EXPERIMENT=bge_m3 once the change is approved.",
    });
  });

  it.each([
    [
      "requested",
      { requested: "bge-m3" },
      'the requested profile "bge-m3" of environment production is not in the manifest',
      'Did you mean "bge_m3"?',
    ],
    [
      "baseline",
      { baseline: "jina_v2" },
      'the baseline profile "jina_v2" of environment production is not in the manifest',
      'Did you mean "jina_v3"?',
    ],
    [
      "far",
      { requested: "zzz" },
      'the requested profile "zzz" of environment production is not in the manifest',
      "Name one of: jina_v3, bge_m3, st_minilm.",
    ],
  ])("suggests a name for an unknown one: %s", (_, changes, reason, hint) => {
    expect(decideGate({ ...guarded, ...changes })).toMatchObject({
      kind: "refused",
      code: "EMB_PROFILE_UNKNOWN",
      reason,
      hint,
    });
  });

  it("becomes the error that stops a process", () => {
    const decision = decideGate(guarded);
    if (decision.kind !== "refused") throw new Error("not refused");
    const error = gateError(decision);
    expect([error.code, error.exitCode, error.retryable]).toEqual(["EMB_PROFILE_OVERRIDE_REFUSED", 78, false]);
    expect(error.message).toBe(decision.reason);
    expect(error.context).toEqual({ environment: "production", baseline: "jina_v3", requested: "bge_m3" });
  });
});

const ask = (input: Partial<GateInput>): GateDecision =>
  decideGate({
    environment: "staging",
    baseline: "jina_v3",
    requested: undefined,
    swappable: false,
    experiment: undefined,
    known,
    ...input,
  });
const idle = (variable: string, value: string) => ({
  variable,
  message: `${variable}=${value} has no effect: no override needs it`,
});

describe("flagsWithoutEffect", () => {
  it.each([
    ["no flag", [ask({})], { swappable: false, experiment: undefined }, []],
    [
      "a flag that is needed",
      [ask({ requested: "bge_m3", swappable: true })],
      { swappable: true, experiment: undefined },
      [],
    ],
    [
      "a flag left on",
      [ask({ swappable: true })],
      { swappable: true, experiment: undefined },
      [idle("EMBEDDING_PROFILE_SWAPPABLE", "true")],
    ],
    [
      "a flag where everything is open",
      [ask({ environment: "dev", requested: "bge_m3", experiment: "bge_m3" })],
      { swappable: false, experiment: "bge_m3" },
      [idle("EMBEDDING_PROFILE_EXPERIMENT", "bge_m3")],
    ],
    [
      "an experiment that only the canary needs",
      [ask({ experiment: "bge_m3" }), ask({ requested: "bge_m3", experiment: "bge_m3" })],
      { swappable: false, experiment: "bge_m3" },
      [],
    ],
    [
      "an experiment beside a flag that already permits",
      [ask({ requested: "bge_m3", swappable: true, experiment: "bge_m3" })],
      { swappable: true, experiment: "bge_m3" },
      [idle("EMBEDDING_PROFILE_EXPERIMENT", "bge_m3")],
    ],
  ])("%s", (_, decisions, flags, expected) => {
    expect(flagsWithoutEffect(decisions, flags)).toEqual(expected);
  });
});

describe("isOpenEnvironment", () => {
  it.each(environments)("%j: %s", (environment, open) => {
    expect(isOpenEnvironment(environment)).toBe(open);
  });
});
