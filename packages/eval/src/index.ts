export { serviceFacts, type Answer, type ServiceFacts, type Side } from "./answers.js";
export { bootstrapMean, resampledMeans, type Bootstrap } from "./bootstrap.js";
export { calibrateThreshold, type Calibration, type CutQuery, type Keep } from "./calibration.js";
export { clusterQueries, clusterTotals, type ClusterTotals } from "./clusters.js";
export {
  compare,
  NO_LABEL,
  type ComparedSide,
  type Comparison,
  type ComparisonSettings,
  type LimitSettings,
  type QueryComparison,
} from "./comparison.js";
export { evaluate, type Estimate, type Evaluation, type EvaluationSettings } from "./evaluation.js";
export { holm } from "./holm.js";
export type { Judgements } from "./judgements.js";
export {
  averagePrecisionAtK,
  isMetricName,
  METRIC_NAMES,
  METRICS,
  ndcgAtK,
  precisionAtK,
  recallAtK,
  reciprocalRankAtK,
  successAtK,
  type Gain,
  type Metric,
  type MetricName,
} from "./metrics.js";
export { comparePairs, type Pair, type PairedResult, type PairedSettings } from "./paired.js";
export { effectSize, minimumDetectableEffect, POWER, power, queriesNeeded } from "./power.js";
export { assembleQuerySet, judgedDocuments, type Oddities, type QuerySet } from "./query-set.js";
export { parsePlainQueries, parseQueries, type Query, type QueryFile } from "./queries.js";
export { parseQrels, type Qrels } from "./qrels.js";
export { createRandom, nextWord, type Random } from "./random.js";
export { randomisationTest } from "./randomisation.js";
export { rankDocuments, type ScoredDocument } from "./ranking.js";
export { kendallTau, overlapAtK, rankBiasedOverlap, RBO_PERSISTENCE } from "./similarity.js";
export { scoreShift, type Quartiles, type ScoreShift, type Similarity } from "./similarity-summary.js";
export { formatTrecRun, parseTrecRun, type TrecRun } from "./trec-run.js";
export type { Warning, WarningCode } from "./warnings.js";
export {
  decideVerdict,
  MIN_CLUSTERS,
  type Limit,
  type Reason,
  type ReasonCode,
  type Slice,
  type SliceVerdict,
  type Verdict,
  type VerdictSettings,
} from "./verdict.js";
