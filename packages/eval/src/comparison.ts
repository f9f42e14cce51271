import { serviceFacts, type ServiceFacts, type Side } from "./answers.js";
import { calibrateThreshold, type Calibration, type Keep } from "./calibration.js";
import {
  forEachMetric,
  foundBy,
  judgedQueries,
  notInRun,
  type EvaluationSettings,
  type JudgedQuery,
} from "./evaluation.js";
import { isRelevant, type Judgements } from "./judgements.js";
import { METRICS, type MetricName } from "./metrics.js";
import { comparePairs, type Pair, type PairedResult } from "./paired.js";
import { judgedDocuments, type Oddities, type QuerySet } from "./query-set.js";
import type { ScoredDocument } from "./ranking.js";
import { describeSimilarity, type Similarity } from "./similarity-summary.js";
import { decideVerdict, type Limit, type SliceVerdict, type Verdict } from "./verdict.js";
import { warningsOf, type Warning } from "./warnings.js";

export interface ComparisonSettings extends EvaluationSettings {
  /** What decides. */
  readonly metric: MetricName;
  readonly margin: number;
  readonly minEffect: number | null;
  /** Label by which queries are cut into slices; null: no slices. */
  readonly sliceBy: string | null;
  readonly minSliceQueries: number;
  /** Most that the candidate may take; unset ones are not asked. */
  readonly limits: LimitSettings;
  /** The baseline's score threshold, for services that cut by score; null: nothing to calibrate. */
  readonly scoreCut: { readonly keep: Keep; readonly baselineThreshold: number } | null;
}

export interface LimitSettings {
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly p99Ms?: number;
  /** Of the candidate's latency p95 to the baseline's. */
  readonly p95Ratio?: number;
  readonly errorPct?: number;
  readonly costPer1000QueriesUsd?: number;
}

/** One judged query on both sides. */
export interface QueryComparison {
  readonly id: string;
  readonly text: string;
  /** Null without slices. */
  readonly slice: string | null;
  readonly baseline: number;
  readonly candidate: number;
  readonly difference: number;
  /** First k of each, best first. */
  readonly baselineDocuments: readonly ScoredDocument[];
  readonly candidateDocuments: readonly ScoredDocument[];
  /** Grades of the documents that are judged for it, whether found or not. */
  readonly judgements: Judgements;
  /** Rank of the first relevant document, from 1; null: none was found. */
  readonly baselineRank: number | null;
  readonly candidateRank: number | null;
}

export interface ComparedSide {
  readonly name: string;
  readonly namespace: string | null;
  readonly facts: ServiceFacts;
  /** Ids of the judged queries that its run file does not have. */
  readonly notInRun: readonly string[];
}

/** Everything that a report, a terminal or a program is told of a comparison: nothing has to be computed after it. */
export interface Comparison {
  readonly settings: ComparisonSettings;
  readonly baseline: ComparedSide;
  readonly candidate: ComparedSide;
  readonly verdict: Verdict;
  /** What makes the verdict say less than it seems to. */
  readonly warnings: readonly Warning[];
  /** Queries of the set, and those that quality is judged by. */
  readonly queries: number;
  readonly judgedQueries: number;
  /**
   * Judged queries that the baseline failed to answer or does not have in its run file: with nothing to compare with they are left out, since counted as 0
   * they would all be won. Of the candidate they score 0.
   */
  readonly unanswered: number;
  /** Null without judgements. */
  readonly metrics: Readonly<Record<MetricName, PairedResult>> | null;
  /** In order of their names. */
  readonly slices: readonly SliceVerdict[];
  readonly similarity: Similarity;
  readonly calibration: Calibration | null;
  readonly perQuery: readonly QueryComparison[];
  readonly oddities: Oddities;
}

/** The slice of a query that has no such label. */
export const NO_LABEL = "(none)";
const CALIBRATION_ROUNDS = 1_000;

/** Both sides' answers to the same queries. Pure: equal input gives an equal comparison, to the bit. */
export function compare(set: QuerySet, baseline: Side, candidate: Side, settings: ComparisonSettings): Comparison {
  const { k, metric, sliceBy } = settings;
  const all = judgedQueries(set);
  const judged = all.filter(({ id }) => baseline.answers.get(id)?.error === null);
  const labels = new Map(
    set.queries.map(({ id, labels: own }) => [id, sliceBy === null ? null : (own.get(sliceBy) ?? NO_LABEL)]),
  );
  const pairsOf = (name: MetricName): Pair[] =>
    judged.map(({ id, judgements, cluster }) => ({
      baseline: METRICS[name](foundBy(baseline, id), judgements, k),
      candidate: METRICS[name](foundBy(candidate, id), judgements, k),
      cluster,
    }));
  const pairs = pairsOf(metric);
  const metrics = judged.length === 0 ? null : forEachMetric((name) => comparePairs(pairsOf(name), settings));
  const slices =
    sliceBy === null
      ? []
      : [...bySlice(judged, pairs, labels)].map(([name, own]) => ({ name, result: comparePairs(own, settings) }));
  const facts = { baseline: serviceFacts(baseline), candidate: serviceFacts(candidate) };
  const decided = decideVerdict(metrics?.[metric] ?? null, slices, limitsOf(settings.limits, facts), {
    ...settings,
    metric: `${metric}@${k}`,
  });
  const texts = new Map(set.queries.map(({ id, text }) => [id, text]));
  const compared = (side: Side, own: ServiceFacts): ComparedSide => ({
    name: side.name,
    namespace: side.namespace,
    facts: own,
    notInRun: notInRun(side, all),
  });
  const sides = { baseline: compared(baseline, facts.baseline), candidate: compared(candidate, facts.candidate) };
  return {
    settings,
    ...sides,
    verdict: decided.verdict,
    warnings: warningsOf({
      judgedQueries: all.length,
      judgedDocuments: judgedDocuments(set).size,
      oddities: set.oddities,
      notInBaselineRun: sides.baseline.notInRun.length,
      notInCandidateRun: sides.candidate.notInRun.length,
    }),
    queries: set.queries.length,
    judgedQueries: all.length,
    unanswered: all.length - judged.length,
    metrics,
    slices: decided.slices,
    similarity: describeSimilarity(set, baseline, candidate, k),
    calibration:
      settings.scoreCut === null ? null : calibrate(judged, baseline, candidate, settings.scoreCut, settings),
    perQuery: judged.map((query, place) => ({
      id: query.id,
      text: texts.get(query.id) ?? "",
      slice: labels.get(query.id) ?? null,
      baseline: pairs[place]!.baseline,
      candidate: pairs[place]!.candidate,
      difference: pairs[place]!.candidate - pairs[place]!.baseline,
      baselineDocuments: documentsOf(baseline, query.id).slice(0, k),
      candidateDocuments: documentsOf(candidate, query.id).slice(0, k),
      judgements: query.judgements,
      baselineRank: firstRelevant(baseline, query),
      candidateRank: firstRelevant(candidate, query),
    })),
    oddities: set.oddities,
  };
}

const documentsOf = ({ answers }: Side, id: string): readonly ScoredDocument[] => answers.get(id)?.documents ?? [];

function firstRelevant(side: Side, { id, judgements }: JudgedQuery): number | null {
  const place = foundBy(side, id).findIndex((document) => isRelevant(judgements.get(document)));
  return place < 0 ? null : place + 1;
}

function bySlice(
  judged: readonly JudgedQuery[],
  pairs: readonly Pair[],
  labels: ReadonlyMap<string, string | null>,
): [string, Pair[]][] {
  const slices = new Map<string, Pair[]>();
  for (const [place, { id }] of judged.entries()) {
    const name = labels.get(id) ?? NO_LABEL;
    const own = slices.get(name);
    if (own === undefined) slices.set(name, [pairs[place]!]);
    else own.push(pairs[place]!);
  }
  return [...slices].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function limitsOf(
  limits: LimitSettings,
  { baseline, candidate: facts }: { readonly baseline: ServiceFacts; readonly candidate: ServiceFacts },
): Limit[] {
  const p95 = facts.latencyMs?.p95;
  const baselineP95 = baseline.latencyMs?.p95;
  // a baseline that took no time that could be measured has no ratio
  const p95Ratio = p95 === undefined || baselineP95 === undefined || baselineP95 <= 0 ? null : p95 / baselineP95;
  const rows: [string, number | undefined, number | null][] = [
    ["candidate latency p50 in ms", limits.p50Ms, facts.latencyMs?.p50 ?? null],
    ["candidate latency p95 in ms", limits.p95Ms, facts.latencyMs?.p95 ?? null],
    ["candidate latency p99 in ms", limits.p99Ms, facts.latencyMs?.p99 ?? null],
    ["candidate latency p95 as a multiple of the baseline's", limits.p95Ratio, p95Ratio],
    ["candidate errors in percent", limits.errorPct, facts.errorPct],
    ["candidate price of 1,000 queries in USD", limits.costPer1000QueriesUsd, facts.costPer1000QueriesUsd],
  ];
  return rows.flatMap(([name, limit, seen]) => (limit === undefined ? [] : [{ name, limit, seen }]));
}

const calibrate = (
  judged: readonly JudgedQuery[],
  baseline: Side,
  candidate: Side,
  cut: NonNullable<ComparisonSettings["scoreCut"]>,
  { k, alpha, seed, rounds }: ComparisonSettings,
): Calibration =>
  calibrateThreshold(
    judged.map(({ id, judgements, cluster }) => ({
      judgements,
      cluster,
      // a run file may hold more than is looked at
      baseline: documentsOf(baseline, id).slice(0, k),
      candidate: documentsOf(candidate, id).slice(0, k),
    })),
    { ...cut, alpha, seed, rounds: Math.min(rounds, CALIBRATION_ROUNDS) },
  );
