import { EmbError } from "@emb/manifest";
import { countRelevant, isRelevant, type Judgements } from "./judgements.js";

/**
 * Retrieval metrics of one query. `ranked` are document ids, best first; a document that comes again counts once, at its best rank. `k` is how
 * many documents are looked at; a list that is shorter is as if documents that are not relevant followed. A query without a relevant document scores 0.
 * All are 0 to 1 and higher is better. Definitions: trec_eval 9, whose file stands beside each.
 */
export type Metric = (ranked: readonly string[], judgements: Judgements, k: number) => number;

/** How a grade becomes a gain: itself (trec_eval, BEIR), or 2^grade - 1 (Burges et al. 2005). */
export type Gain = "linear" | "exponential";

/** @throws EmbError EMB_USAGE when k is not a whole number of at least 1 */
function top(ranked: readonly string[], k: number): string[] {
  if (!Number.isInteger(k) || k < 1)
    throw new EmbError("EMB_USAGE", `k: expected a whole number of at least 1, got ${k}`, {
      hint: "Use a k such as 10.",
    });
  const first = new Set<string>();
  for (const id of ranked) {
    if (first.size === k) break;
    first.add(id);
  }
  return [...first];
}

const gainOf = (grade: number, gain: Gain): number => (grade <= 0 ? 0 : gain === "linear" ? grade : 2 ** grade - 1);

/** Gains, each divided by log2(rank + 1). */
const discounted = (gains: readonly number[]): number =>
  gains.reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);

/** Source: trec_eval, m_ndcg_cut.c: discounted gain over that of the best order of all judged documents, both to k. */
export const ndcgAtK =
  (gain: Gain): Metric =>
  (ranked, judgements, k) => {
    const gains = top(ranked, k).map((id) => gainOf(judgements.get(id) ?? 0, gain));
    const best = [...judgements.values()]
      .map((grade) => gainOf(grade, gain))
      .toSorted((a, b) => b - a)
      .slice(0, k);
    const ideal = discounted(best);
    return ideal === 0 ? 0 : discounted(gains) / ideal;
  };

const hits = (ranked: readonly string[], judgements: Judgements, k: number): number =>
  top(ranked, k).filter((id) => isRelevant(judgements.get(id))).length;

/** Source: trec_eval, m_recall.c. */
export const recallAtK: Metric = (ranked, judgements, k) => {
  const found = hits(ranked, judgements, k);
  return found === 0 ? 0 : found / countRelevant(judgements);
};

/** Source: trec_eval, m_P.c. Divides by k also when fewer documents were found. */
export const precisionAtK: Metric = (ranked, judgements, k) => hits(ranked, judgements, k) / k;

/** 1 / rank of the first relevant document. Source: trec_eval, m_recip_rank.c; here to k. Its mean over queries is MRR. */
export const reciprocalRankAtK: Metric = (ranked, judgements, k) => {
  const place = top(ranked, k).findIndex((id) => isRelevant(judgements.get(id)));
  return place < 0 ? 0 : 1 / (place + 1);
};

/** Source: trec_eval, m_map_cut.c: precision at each relevant document, over all that are relevant. Its mean over queries is MAP. */
export const averagePrecisionAtK: Metric = (ranked, judgements, k) => {
  let found = 0;
  let sum = 0;
  for (const [index, id] of top(ranked, k).entries())
    if (isRelevant(judgements.get(id))) {
      found++;
      sum += found / (index + 1);
    }
  return found === 0 ? 0 : sum / countRelevant(judgements);
};

/** 1 when a relevant document is among the first k. Source: trec_eval, m_success.c. */
export const successAtK: Metric = (ranked, judgements, k) => (hits(ranked, judgements, k) > 0 ? 1 : 0);

/** The metrics by the names of `--metric` and of the JSON. */
export const METRICS = {
  ndcg: ndcgAtK("linear"),
  ndcg_exp: ndcgAtK("exponential"),
  recall: recallAtK,
  precision: precisionAtK,
  mrr: reciprocalRankAtK,
  map: averagePrecisionAtK,
  success: successAtK,
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES: readonly MetricName[] = ["ndcg", "ndcg_exp", "recall", "precision", "mrr", "map", "success"];

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(METRICS, name);
