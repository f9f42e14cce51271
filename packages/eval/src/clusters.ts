import type { Judgements } from "./judgements.js";

/**
 * Which queries hang together: those that share a judged document, directly or through others. Connected components.
 * @returns for each query the number of its cluster, counted from 0 in the order of each cluster's first query
 */
export function clusterQueries(judgements: readonly Judgements[]): Uint32Array {
  const parent = Uint32Array.from(judgements, (_, query) => query);
  const root = (query: number): number => {
    let top = query;
    while (parent[top] !== top) top = parent[top]!;
    for (let next = query; next !== top;) {
      const above = parent[next]!;
      parent[next] = top;
      next = above;
    }
    return top;
  };
  const firstQuery = new Map<string, number>();
  for (const [query, judged] of judgements.entries())
    for (const document of judged.keys()) {
      const first = firstQuery.get(document);
      if (first === undefined) firstQuery.set(document, query);
      else {
        const [a, b] = [root(first), root(query)];
        parent[Math.max(a, b)] = Math.min(a, b); // the root is the first query of its cluster
      }
    }
  const numbers = new Map<number, number>();
  return parent.map((_, query) => {
    const top = root(query);
    const number = numbers.get(top) ?? numbers.size;
    numbers.set(top, number);
    return number;
  });
}

/** Differences summed by cluster. */
export interface ClusterTotals {
  /** Sum of the differences of each cluster. */
  readonly sums: Float64Array;
  /** Queries of each cluster. */
  readonly sizes: Float64Array;
  readonly queries: number;
}

/** @param clusters for each value the number of its cluster; any numbers, those without a value are left out */
export function clusterTotals(values: ArrayLike<number>, clusters: ArrayLike<number>): ClusterTotals {
  const places = new Map<number, number>();
  for (let i = 0; i < values.length; i++) if (!places.has(clusters[i]!)) places.set(clusters[i]!, places.size);
  const sums = new Float64Array(places.size);
  const sizes = new Float64Array(places.size);
  for (let i = 0; i < values.length; i++) {
    const place = places.get(clusters[i]!)!;
    sums[place]! += values[i]!;
    sizes[place]!++;
  }
  return { sums, sizes, queries: values.length };
}
