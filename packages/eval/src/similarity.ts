/** Share of the first k that both lists have, over the longer of the two; 1 when both are empty. */
export function overlapAtK(a: readonly string[], b: readonly string[], k: number): number {
  const first = new Set(a.slice(0, k));
  const second = new Set(b.slice(0, k));
  const longer = Math.max(first.size, second.size);
  if (longer === 0) return 1;
  let common = 0;
  for (const id of first) if (second.has(id)) common++;
  return common / longer;
}

/** How likely a reader goes on to the next rank. Source: the paper's middle value; 86% of the weight is then on the first ten. */
export const RBO_PERSISTENCE = 0.9;

/**
 * Rank-biased overlap, extrapolated: agreement of two rankings, the top weighing most, as if they went on as they agreed so far. 0 to 1.
 * Source: Webber, Moffat, Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28(4), 2010, equation 32.
 * @param a,b distinct ids, best first; they may differ in length
 */
export function rankBiasedOverlap(a: readonly string[], b: readonly string[], p = RBO_PERSISTENCE): number {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  const s = short.length;
  const l = long.length;
  if (l === 0) return 1;
  if (s === 0) return 0;
  const seenShort = new Set<string>();
  const seenLong = new Set<string>();
  let common = 0; // X_d
  let commonAtS = 0; // X_s
  let sum = 0;
  for (let d = 1; d <= l; d++) {
    const fromLong = long[d - 1]!;
    const fromShort = short[d - 1];
    if (fromLong === fromShort) common++;
    else {
      if (seenShort.has(fromLong)) common++;
      if (fromShort !== undefined && seenLong.has(fromShort)) common++;
    }
    seenLong.add(fromLong);
    if (fromShort !== undefined) seenShort.add(fromShort);
    if (d === s) commonAtS = common;
    const beyond = d > s ? (commonAtS * (d - s)) / (s * d) : 0;
    sum += (common / d + beyond) * p ** d;
  }
  return ((1 - p) / p) * sum + ((common - commonAtS) / l + commonAtS / s) * p ** l;
}

/** Kendall's tau over the ids that both lists have, -1 to 1; null when they share fewer than two. Source: Kendall, Biometrika 30, 1938. */
export function kendallTau(a: readonly string[], b: readonly string[]): number | null {
  const places = new Map(b.map((id, place) => [id, place]));
  const common = a.flatMap((id) => places.get(id) ?? []);
  const pairs = (common.length * (common.length - 1)) / 2;
  if (pairs === 0) return null;
  let balance = 0;
  for (let i = 0; i < common.length; i++)
    for (let j = i + 1; j < common.length; j++) balance += common[i]! < common[j]! ? 1 : -1;
  return balance / pairs;
}
