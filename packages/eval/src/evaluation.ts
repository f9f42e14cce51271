import { serviceFacts, type ServiceFacts, type Side } from "./answers.js";
import { bootstrapMean } from "./bootstrap.js";
import { clusterQueries, clusterTotals } from "./clusters.js";
import type { Judgements } from "./judgements.js";
import { METRIC_NAMES, METRICS, type MetricName } from "./metrics.js";
import type { QuerySet } from "./query-set.js";

export interface EvaluationSettings {
  readonly k: number;
  /** Chance of error of each bound, one-sided. */
  readonly alpha: number;
  readonly rounds: number;
  readonly seed: number;
}

export interface Estimate {
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
}

/** How good one side's answers are. */
export interface Evaluation {
  readonly name: string;
  readonly namespace: string | null;
  readonly queries: number;
  readonly judgedQueries: number;
  /** Ids of the judged queries that its run file does not have. */
  readonly notInRun: readonly string[];
  /** Null without judgements. */
  readonly metrics: Readonly<Record<MetricName, Estimate>> | null;
  readonly facts: ServiceFacts;
}

/** A judged query with its cluster. */
export interface JudgedQuery {
  readonly id: string;
  readonly judgements: Judgements;
  readonly cluster: number;
}

/** The judged queries of a set, in its order. */
export function judgedQueries({ queries, judgements }: QuerySet): JudgedQuery[] {
  const judged = queries.flatMap(({ id }) => {
    const own = judgements?.get(id);
    return own === undefined ? [] : [{ id, judgements: own }];
  });
  const clusters = clusterQueries(judged.map((query) => query.judgements));
  return judged.map((query, place) => ({ ...query, cluster: clusters[place]! }));
}

/** The ids that a side found for a query, best first. */
export const foundBy = ({ answers }: Side, queryId: string): string[] =>
  (answers.get(queryId)?.documents ?? []).map(({ id }) => id);

/** Ids of the judged queries to which a side has no answer, not even that it failed. */
export const notInRun = ({ answers }: Side, judged: readonly JudgedQuery[]): string[] =>
  judged.flatMap(({ id }) => (answers.has(id) ? [] : [id]));

/** A value for each metric. */
export function forEachMetric<T>(value: (name: MetricName) => T): Record<MetricName, T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.fromEntries forgets the names, which are all of them
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, value(name)])) as Record<MetricName, T>;
}

/** A query that failed, or is not in a run file, scores 0. */
export function evaluate(set: QuerySet, side: Side, { k, alpha, rounds, seed }: EvaluationSettings): Evaluation {
  const judged = judgedQueries(set);
  const clusters = judged.map(({ cluster }) => cluster);
  const estimate = (name: MetricName): Estimate => {
    const values = judged.map(({ id, judgements }) => METRICS[name](foundBy(side, id), judgements, k));
    const bootstrap = bootstrapMean(clusterTotals(values, clusters), { rounds, seed });
    return { mean: bootstrap.mean, ...bootstrap.bounds(alpha) };
  };
  return {
    name: side.name,
    namespace: side.namespace,
    queries: set.queries.length,
    judgedQueries: judged.length,
    notInRun: notInRun(side, judged),
    metrics: judged.length === 0 ? null : forEachMetric(estimate),
    facts: serviceFacts(side),
  };
}
