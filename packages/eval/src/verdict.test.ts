import { describe, expect, it } from "vitest";
import type { PairedResult } from "./paired.js";
import { decideVerdict, type Limit, type VerdictSettings } from "./verdict.js";

const SETTINGS: VerdictSettings = {
  metric: "ndcg@10",
  alpha: 0.05,
  margin: 0.01,
  minEffect: null,
  minSliceQueries: 20,
};

const result = (changes: Partial<PairedResult>): PairedResult => ({
  queries: 100,
  clusters: 100,
  baseline: 0.5,
  candidate: 0.5,
  difference: 0,
  lower: -0.005,
  upper: 0.005,
  standardError: 0.003,
  pValue: 1,
  pWorse: 0.99,
  effectSize: 0,
  minimumDetectableEffect: 0.0075,
  wins: 0,
  losses: 0,
  ties: 100,
  ...changes,
});
const worse = { losses: 3, difference: -0.1, lower: -0.15, upper: -0.05, pWorse: 0.0001 };
const open = { difference: -0.002, lower: -0.03, upper: 0.026, standardError: 0.017, pWorse: 0.7 };
const slice = (name: string, changes: Partial<PairedResult> = {}) => ({ name, result: result(changes) });

const decide = (
  overall: Partial<PairedResult> | null,
  slices: ReturnType<typeof slice>[] = [],
  settings: Partial<VerdictSettings> = {},
  limits: Limit[] = [],
) => decideVerdict(overall === null ? null : result(overall), slices, limits, { ...SETTINGS, ...settings }).verdict;

describe("overall, on each rule and one step past it", () => {
  it.each<[string, Partial<PairedResult>, Partial<VerdictSettings>, string, string]>([
    ["lower bound above minus the margin", { lower: -0.0099 }, {}, "GO", "not-worse"],
    ["lower bound at minus the margin", { lower: -0.01 }, {}, "INCONCLUSIVE", "undecided"],
    ["upper bound at minus the margin", { lower: -0.03, upper: -0.01 }, {}, "INCONCLUSIVE", "undecided"],
    ["upper bound below minus the margin", { lower: -0.03, upper: -0.0101 }, {}, "NO-GO", "worse"],
    ["exactly equal", { lower: 0, upper: 0, standardError: 0 }, {}, "GO", "not-worse"],
    [
      "exactly equal with margin 0",
      { lower: 0, upper: 0, standardError: 0 },
      { margin: 0 },
      "INCONCLUSIVE",
      "undecided",
    ],
    ["the effect asked for is shown", { lower: 0.021 }, { minEffect: 0.02 }, "GO", "not-worse"],
    ["the effect asked for is not shown", { lower: 0.02 }, { minEffect: 0.02 }, "INCONCLUSIVE", "effect-not-shown"],
    ["nothing found by either", { baseline: 0, candidate: 0, lower: 0, upper: 0 }, {}, "INCONCLUSIVE", "nothing-found"],
    ["nine groups", { clusters: 9 }, {}, "INCONCLUSIVE", "too-few-queries"],
    ["ten groups", { clusters: 10 }, {}, "GO", "not-worse"],
  ])("%s", (_name, overall, settings, kind, code) => {
    const verdict = decide(overall, [], settings);
    expect([verdict.kind, verdict.reasons[0]?.code]).toEqual([kind, code]);
  });

  it("a slice in which neither side found anything is named, and is no GO", () => {
    const nothing = slice("de", { baseline: 0, candidate: 0, lower: 0, upper: 0 });
    expect(decide({}, [nothing, slice("en")])).toMatchObject({
      kind: "INCONCLUSIVE",
      queriesNeeded: null,
      reasons: [{ code: "nothing-found", slice: "de" }, { code: "not-worse" }, { code: "not-worse", slice: "en" }],
    });
  });

  it("without judgements nothing is decided", () =>
    expect(decide(null)).toMatchObject({
      kind: "INCONCLUSIVE",
      queriesNeeded: null,
      reasons: [{ code: "no-judgements" }],
    }));
});

describe("slices", () => {
  it("one slice alone drops: NO-GO, and it is named first with both numbers", () => {
    const verdict = decide({}, [slice("de", worse), slice("en")]);
    expect(verdict.kind).toBe("NO-GO");
    expect(verdict.reasons[0]).toEqual({
      code: "worse",
      slice: "de",
      seen: -0.05,
      limit: -0.01,
      text: "slice de: ndcg@10: upper bound -0.0500 is below minus the margin, -0.0100; difference -0.1000 over 100 queries, 0 better and 3 worse",
    });
  });
  it.each<[string, Partial<PairedResult>, string]>([
    ["one that leaves it open keeps GO back", open, "INCONCLUSIVE"],
    ["one with too few queries decides nothing", { ...worse, queries: 19 }, "GO"],
    ["one with enough queries and too few groups decides nothing", { ...worse, clusters: 9 }, "GO"],
    ["one that is not worse lets GO pass", {}, "GO"],
  ])("%s", (_name, changes, want) => expect(decide({}, [slice("a"), slice("b", changes)]).kind).toBe(want));

  it("are corrected by Holm: what would be worse alone is not among many", () => {
    const doubtful = { difference: -0.05, lower: -0.08, upper: -0.0101, pWorse: 0.049 };
    expect(decide({}, [slice("a", doubtful)]).kind).toBe("NO-GO");
    expect(decide({}, [slice("a", doubtful), slice("b")]).kind).toBe("INCONCLUSIVE");
    const { slices } = decideVerdict(
      result({}),
      [slice("a", doubtful), slice("b"), slice("c", { queries: 3 })],
      [],
      SETTINGS,
    );
    expect(slices.map(({ pWorseHolm }) => pWorseHolm)).toEqual([expect.closeTo(0.098, 10), 0.99, null]);
  });
});

describe("limits beside quality", () => {
  const limit = (seen: number | null): Limit[] => [{ name: "candidate latency p95 in ms", seen, limit: 50 }];
  it.each([
    [50, "GO", "limit-kept"],
    [50.1, "NO-GO", "limit-broken"],
    [null, "INCONCLUSIVE", "limit-unknown"],
  ])("%s ms of 50", (seen, kind, code) => {
    const verdict = decide({}, [], {}, limit(seen));
    expect(verdict.kind).toBe(kind);
    expect(verdict.reasons.map((reason) => reason.code)).toContain(code);
  });
});

describe("queries needed", () => {
  const needed = (...given: Parameters<typeof decide>) => {
    const verdict = decide(...given);
    return verdict.kind === "INCONCLUSIVE" ? verdict.queriesNeeded : verdict.kind;
  };
  // (1.6449 + 0.8416)^2 x (0.017 / 0.008)^2 x 100
  it("are as many as bring the bound off the margin", () => expect(needed(open)).toBe(2_792));
  it("are for all queries when a slice asks for them", () =>
    expect(needed({ queries: 300 }, [slice("a", open)])).toBe(8_376));
  it("are unknown at the margin itself", () => expect(needed({ ...open, difference: -0.01 })).toBeNull());
  it("are unknown when the effect asked for is not there", () =>
    expect(needed({ difference: 0.001 }, [], { minEffect: 0.02 })).toBeNull());
  it("are in proportion when there are too few groups", () => expect(needed({ queries: 12, clusters: 4 })).toBe(30));
});
