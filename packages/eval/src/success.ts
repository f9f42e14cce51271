import { EmbError } from "@emb/manifest";

/**
 * success@k of one query: 1 when a relevant document is among the first k, else 0. Documents that come again count once, at their best rank.
 * Source: trec_eval, measure `success`.
 * @param ranked document ids, best first
 * @param k 1 or more
 * @throws EmbError EMB_USAGE when k is not a whole number of at least 1
 */
export function successAtK(ranked: readonly string[], relevant: ReadonlySet<string>, k: number): 0 | 1 {
  if (!Number.isInteger(k) || k < 1)
    throw new EmbError("EMB_USAGE", `k: expected a whole number of at least 1, got ${k}`, {
      hint: "Use success@1, @3 or @10.",
    });
  return [...new Set(ranked)].slice(0, k).some((id) => relevant.has(id)) ? 1 : 0;
}
