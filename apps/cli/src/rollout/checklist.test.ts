import { ROLLOUT_METRICS } from "@emb/config";
import { METRIC_NAMES, type Verdict } from "@emb/eval";
import { EmbError } from "@emb/manifest";
import { describe, expect, it } from "vitest";
import {
  compareStep,
  concludeChecklist,
  failedStep,
  planStep,
  requirementsStep,
  verifyStep,
  waitingStep,
  type StepState,
} from "./checklist.js";

const steps = (...states: StepState[]) => states.map((state) => ({ state }));

describe("the checklist's end", () => {
  it.each([
    ["everything is done", steps("ok", "ok"), 0],
    ["something is open", steps("ok", "open", "waits"), 1],
    ["something is open and something else unclear", steps("open", "undecided"), 1],
    ["something is unclear", steps("ok", "undecided", "waits"), 3],
    ["something waits, for whatever reason", steps("ok", "waits"), 3],
    ["nothing was looked at", [], 3],
  ] as const)("when %s", (_, given, exitCode) => {
    expect(concludeChecklist(given)).toEqual({ ok: exitCode === 0, exitCode });
  });
});

describe("the plan step", () => {
  const fill = "emb reingest";
  const work = { documents: 3, chunks: { total: 9, toEmbed: 4, unchanged: 5 }, tokens: 70, costUsd: null };
  type Found = Parameters<typeof planStep>[0];
  type Record = NonNullable<Found["record"]>;
  const sealed = (state: Record["state"]): Record => ({
    state,
    seal: { fingerprint: "f".repeat(64) },
  });
  const look = (found: Partial<Found>) =>
    planStep({
      namespace: "docs_two",
      record: sealed("ready"),
      fingerprint: "f".repeat(64),
      lag: 0,
      work,
      fill,
      ...found,
    });

  it.each<[string, Partial<Found>, string, string]>([
    [
      "a namespace that is not there",
      { record: null },
      "docs_two is not there: 4 of 9 chunks of 3 documents to embed, 70 tokens, price unknown",
      fill,
    ],
    [
      "one that was retired, and nothing stored",
      { record: sealed("retired"), work: null },
      "docs_two is not there",
      fill,
    ],
    [
      "one that is being filled",
      { record: sealed("filling"), work: { ...work, costUsd: 0.5 } },
      "docs_two is in state filling: 4 of 9 chunks of 3 documents to embed, 70 tokens, 0.5000 USD",
      fill,
    ],
    ["one that lags behind", { lag: 2, work: null }, "docs_two lags behind by 2 documents", fill],
    [
      "one of another model",
      { fingerprint: "0".repeat(64) },
      "docs_two is sealed for fingerprint ffffffffffff, and the manifest has 000000000000",
      "Give the changed model a new profile name in the manifest.",
    ],
  ])("is open for %s", (_, found, seen, action) => {
    expect(look(found)).toEqual({ name: "plan", state: "open", seen, action });
  });

  it("is ok for a namespace that holds everything", () => {
    expect(look({})).toMatchObject({ state: "ok", action: null });
  });
});

describe("the other steps", () => {
  it("names what is unset", () => {
    expect(requirementsStep(["A_KEY", "B_URL"])).toMatchObject({ state: "open", action: "Set A_KEY and B_URL." });
    expect(requirementsStep([]).state).toBe("ok");
  });

  it("names the checks that verification failed, with both numbers", () => {
    const result = { namespace: "n", expected: 10, found: 9, driftPct: 10, checks: [] };
    const failed = { name: "chunks" as const, ok: false, seen: 10, want: "drift <= 0%" };
    const fine = { name: "dims" as const, ok: true, seen: 4, want: "4" };
    expect(verifyStep({ ...result, ok: false, checks: [fine, failed] }, "repair")).toEqual({
      name: "verify",
      state: "open",
      seen: "n: 9 of 10 chunks, drift 10.000%; chunks seen 10, want drift <= 0%",
      action: "repair",
    });
    expect(verifyStep({ ...result, ok: true }, "repair")).toMatchObject({ state: "ok", action: null });
  });

  const reasons = [{ code: "undecided", slice: null, seen: 0, limit: 0, text: "because" }] as const;
  it.each<[Verdict, StepState, string | null]>([
    [{ kind: "GO", reasons }, "ok", null],
    [{ kind: "NO-GO", reasons }, "open", "Keep one. Where it is worse: emb compare"],
    [
      { kind: "INCONCLUSIVE", reasons, queriesNeeded: 70 },
      "undecided",
      "Judge about 70 queries in all, then: emb compare",
    ],
    [{ kind: "INCONCLUSIVE", reasons, queriesNeeded: null }, "undecided", "Judge more queries, then: emb compare"],
  ])("takes the verdict %j", (verdict, state, action) => {
    expect(compareStep({ verdict, warnings: [] }, "one", "emb compare")).toEqual({
      name: "compare",
      state,
      seen: `${verdict.kind}: because`,
      action,
    });
  });

  it("shows what a verdict warns of beside it, also where it is GO", () => {
    const warnings = [{ code: "judged-documents-missing", seen: 0.5, limit: 0.1, text: "half is not there" }] as const;
    expect(compareStep({ verdict: { kind: "GO", reasons }, warnings }, "one", "emb compare")).toMatchObject({
      state: "ok",
      seen: "GO: because; warning: half is not there",
    });
  });

  it("leaves open what fails, and undecided what a later try may change", () => {
    const error = (code: "EMB_SEAL_MISMATCH" | "EMB_PROVIDER_UNAVAILABLE") =>
      failedStep("verify", new EmbError(code, "seen", { hint: "do" }));
    expect(error("EMB_SEAL_MISMATCH")).toEqual({
      name: "verify",
      state: "open",
      seen: "EMB_SEAL_MISMATCH seen",
      action: "do",
    });
    expect(error("EMB_PROVIDER_UNAVAILABLE").state).toBe("undecided");
    expect(waitingStep("compare", "verify").state).toBe("waits");
  });
});

it("a file may name every metric that the verdict can be taken by, and no other", () => {
  expect(ROLLOUT_METRICS).toEqual(METRIC_NAMES);
});
