import { describe, expect, it } from "vitest";
import type { Answer, Side } from "./answers.js";
import { compare, type ComparisonSettings } from "./comparison.js";
import { evaluate } from "./evaluation.js";
import { parseQrels } from "./qrels.js";
import { assembleQuerySet, type QuerySet } from "./query-set.js";
import { parseQueries } from "./queries.js";

const SETTINGS: ComparisonSettings = {
  metric: "ndcg",
  k: 10,
  alpha: 0.05,
  margin: 0.01,
  minEffect: null,
  sliceBy: "lang",
  minSliceQueries: 20,
  limits: {},
  scoreCut: null,
  rounds: 1_000,
  seed: 1,
};
const QUERIES = 120;
const langOf = (place: number) => (place % 4 === 0 ? "de" : "en");

/** Query i is answered by document i alone; a quarter of them is German. */
function querySet(order = Array.from({ length: QUERIES }, (_, place) => place)): QuerySet {
  const lines = order.map((place) =>
    JSON.stringify({ _id: `q${place}`, text: `question ${place}`, metadata: { lang: langOf(place) } }),
  );
  const qrels = order.map((place) => `q${place}\td${place}\t1`);
  return assembleQuerySet(
    parseQueries(lines.join("\n"), "queries.jsonl"),
    parseQrels(["query-id\tcorpus-id\tscore", ...qrels].join("\n"), "qrels.tsv"),
  );
}

/** The right document at `rankOf`, from 1, below documents of no use. */
function side(
  name: string,
  rankOf: (place: number) => number,
  answerOf: (place: number) => Partial<Answer> = () => ({}),
): Side {
  const answer = (place: number): Answer => ({
    documents: Array.from({ length: 10 }, (_, at) => ({
      id: at + 1 === rankOf(place) ? `d${place}` : `x${at}`,
      score: 1 - at / 10,
    })),
    latencyMs: 1 + (place % 100),
    tokens: 10,
    error: null,
    ...answerOf(place),
  });
  return {
    name,
    namespace: `docs_${name}`,
    pricePerMillionTokens: 2,
    answers: new Map(Array.from({ length: QUERIES }, (_, place) => [`q${place}`, answer(place)])),
  };
}
const first = side("first", () => 1);

describe("compare", () => {
  it("a profile against itself is GO with a difference of exactly 0", () => {
    const same = side("first", (place) => 1 + (place % 3));
    const { verdict, metrics, similarity } = compare(querySet(), same, same, SETTINGS);
    expect(verdict.kind).toBe("GO");
    expect(metrics?.ndcg).toMatchObject({ difference: 0, lower: 0, upper: 0, pValue: 1, effectSize: 0, ties: QUERIES });
    expect(similarity).toMatchObject({ queries: QUERIES, overlap: 1, rbo: expect.closeTo(1, 12), kendallTau: 1 });
  });

  it("a set in which one slice alone drops is NO-GO and names it, though the whole gets better", () => {
    const baseline = side("old", (place) => (langOf(place) === "de" ? 1 : 2 + (place % 2)));
    const candidate = side("new", (place) => (langOf(place) === "de" ? 2 + (place % 3) : 1));
    const { verdict, metrics, slices } = compare(querySet(), baseline, candidate, SETTINGS);
    expect(metrics!.ndcg.lower).toBeGreaterThan(0);
    expect(verdict.kind).toBe("NO-GO");
    expect(verdict.reasons[0]).toMatchObject({ code: "worse", slice: "de", limit: -0.01 });
    expect(slices.map(({ name, kind, result }) => [name, kind, result.queries])).toEqual([
      ["de", "NO-GO", 30],
      ["en", "GO", 90],
    ]);
  });

  it("does not depend on the order of the files, to the bit", () => {
    const candidate = side("new", (place) => 1 + ((place * 7) % 5));
    const forward = compare(querySet(), first, candidate, SETTINGS);
    const backward = compare(
      querySet(Array.from({ length: QUERIES }, (_, place) => (place * 77) % QUERIES)),
      first,
      candidate,
      SETTINGS,
    );
    expect(backward).toEqual(forward);
  });

  it("leaves out what the baseline could not answer, and counts the candidate's failures as 0", () => {
    const failing = (every: number) => (place: number) =>
      place % every === 1 ? { documents: [], latencyMs: null, tokens: null, error: "EMB_TEXT_TOO_LONG" } : {};
    const compared = compare(
      querySet(),
      side("old", () => 1, failing(10)),
      side("new", () => 1, failing(4)),
      SETTINGS,
    );
    expect([compared.judgedQueries, compared.unanswered, compared.metrics?.ndcg.queries]).toEqual([120, 12, 108]);
    expect(compared.metrics?.ndcg.candidate).toBeLessThan(1);
    expect(compared.metrics?.ndcg.baseline).toBe(1);
    expect(compared.candidate.facts).toMatchObject({
      errors: 30,
      errorPct: 25,
      errorsByCode: { EMB_TEXT_TOO_LONG: 30 },
    });
    expect(compared.verdict.kind).toBe("NO-GO");
  });

  it("calibrates by the first k, also of a run file that holds more", () => {
    // the right one has the score 1, the third that is not has 0.8
    const { calibration } = compare(querySet(), first, first, {
      ...SETTINGS,
      k: 3,
      scoreCut: { keep: "precision", baselineThreshold: 0 },
    });
    expect(calibration).toMatchObject({
      kept: expect.closeTo(1 / 3, 12),
      threshold: 0.8,
      baselineShown: 3 * QUERIES,
      candidateShown: 3 * QUERIES,
    });
  });

  /** As a run file has it that lacks every query of a kind. */
  const without = (whole: Side, lacks: (place: number) => boolean): Side => ({
    ...whole,
    answers: new Map([...whole.answers].filter(([id]) => !lacks(Number(id.slice(1))))),
  });

  it("counts as 0 what the candidate's run file lacks, and names it", () => {
    const compared = compare(
      querySet(),
      first,
      without(first, (place) => place % 60 === 1),
      SETTINGS,
    );
    expect(compared.candidate.notInRun).toEqual(["q1", "q61"]);
    expect(compared.metrics?.ndcg).toMatchObject({
      queries: 120,
      baseline: 1,
      candidate: expect.closeTo(118 / 120, 12),
    });
    expect([compared.unanswered, compared.baseline.notInRun]).toEqual([0, []]);
    expect(compared.similarity.queries).toBe(118);
  });

  it("does not let the candidate win what the baseline's run file lacks", () => {
    const baseline = without(first, (place) => place % 2 === 1);
    const compared = compare(
      querySet(),
      baseline,
      side("new", () => 2),
      SETTINGS,
    );
    expect(compared.baseline.notInRun).toHaveLength(60);
    expect([compared.unanswered, compared.metrics?.ndcg.queries, compared.metrics?.ndcg.wins]).toEqual([60, 60, 0]);
    expect(compared.verdict.kind).toBe("NO-GO");
    expect(compared.warnings).toEqual([
      {
        code: "not-in-baseline-run",
        seen: 0.5,
        limit: 0.1,
        text: "60 of 120 judged queries are not in the baseline's run file (50%): they are not compared, so the verdict is about the others",
      },
    ]);
  });

  it("tells latency, tokens and price, and holds limits", () => {
    const { candidate, verdict } = compare(querySet(), first, first, {
      ...SETTINGS,
      limits: { p95Ms: 50, p99Ms: 100, errorPct: 0, costPer1000QueriesUsd: 0.02 },
    });
    expect(candidate.facts).toMatchObject({
      answered: 120,
      errors: 0,
      latencyMs: { p50: 40, p95: 94, p99: 99 },
      tokens: 1_200,
      costPer1000QueriesUsd: expect.closeTo(0.02, 12),
    });
    expect(verdict.kind).toBe("NO-GO");
    expect(verdict.reasons[0]?.text).toBe("candidate latency p95 in ms: 94 is over the limit 50");
    expect(verdict.reasons.filter(({ code }) => code === "limit-kept")).toHaveLength(3);
  });

  it.each([
    [1, "GO", "limit-kept"],
    [0.9, "NO-GO", "limit-broken"],
  ])("holds the candidate's latency to %f times the baseline's: %s", (p95Ratio, kind, code) => {
    const { verdict } = compare(querySet(), first, first, { ...SETTINGS, sliceBy: null, limits: { p95Ratio } });
    expect(verdict.kind).toBe(kind);
    expect(verdict.reasons.filter((reason) => reason.code.startsWith("limit"))).toMatchObject([
      { code, seen: 1, limit: p95Ratio },
    ]);
  });

  it("cannot hold a ratio to a baseline that took no time, such as a run that was written before", () => {
    const untimed = {
      ...first,
      answers: new Map([...first.answers].map(([id, own]) => [id, { ...own, latencyMs: 0 }])),
    };
    const { verdict } = compare(querySet(), untimed, first, { ...SETTINGS, sliceBy: null, limits: { p95Ratio: 2 } });
    expect([verdict.kind, verdict.reasons[0]?.code]).toEqual(["INCONCLUSIVE", "limit-unknown"]);
  });

  it("without judgements says how alike the answers are, and that nothing is decided", () => {
    const set = { ...querySet(), judgements: null };
    const { verdict, metrics, similarity } = compare(
      set,
      first,
      side("new", () => 2),
      SETTINGS,
    );
    expect([verdict.kind, metrics]).toEqual(["INCONCLUSIVE", null]);
    expect(similarity.overlap).toBeCloseTo(0.9, 10); // first has x1 to x9 and the right one, new has x0 in place of x1
    expect(similarity.scores?.mean).toBe(0);
  });

  it("shows each query with both lists and the rank of its first relevant document", () => {
    const { perQuery } = compare(
      querySet(),
      first,
      side("new", () => 2),
      SETTINGS,
    );
    expect(perQuery[0]).toMatchObject({
      id: "q0",
      text: "question 0",
      slice: "de",
      baseline: 1,
      candidate: expect.closeTo(1 / Math.log2(3), 12),
      difference: expect.closeTo(1 / Math.log2(3) - 1, 12),
      baselineRank: 1,
      candidateRank: 2,
    });
    expect(perQuery[0]?.candidateDocuments.slice(0, 2).map(({ id }) => id)).toEqual(["x0", "d0"]);
  });
});

it("evaluate counts as 0 what a run file lacks, and names it", () => {
  const { answers, ...run } = first;
  const { metrics, notInRun } = evaluate(
    querySet(),
    { ...run, answers: new Map([...answers].filter(([id]) => id !== "q7")) },
    SETTINGS,
  );
  expect([metrics?.ndcg.mean, notInRun]).toEqual([expect.closeTo(119 / 120, 12), ["q7"]]);
});

it("evaluate gives every metric's mean with its bounds", () => {
  const { metrics, judgedQueries } = evaluate(
    querySet(),
    side("half", (place) => 1 + (place % 2)),
    SETTINGS,
  );
  expect(judgedQueries).toBe(QUERIES);
  expect(metrics?.success).toEqual({ mean: 1, lower: 1, upper: 1 });
  expect(metrics?.mrr.mean).toBeCloseTo(0.75, 12);
  expect(metrics!.mrr.lower).toBeLessThan(0.75);
  expect(metrics!.mrr.upper).toBeGreaterThan(0.75);
});
