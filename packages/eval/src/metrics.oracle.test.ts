import { expect, it } from "vitest";
import { METRIC_NAMES, METRICS, type MetricName } from "./metrics.js";
import { parseQrels } from "./qrels.js";
import { createRandom, nextWord, WORD } from "./random.js";
import { formatTrecRun, parseTrecRun } from "./trec-run.js";

const RUNS = 1_000;
const DOCUMENTS = 25;

/**
 * All metrics anew, from the texts of a run and of judgements and in another way: a table of rows with their rank by counting what stands before
 * each, sums over that table, logarithms by another base. It shares no code with the package.
 */
function oracle(run: string, qrels: string, k: number): Record<MetricName, number> {
  const grades = qrels
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const gradeOf = (id: string) => Number(grades.find(([, , document]) => document === id)?.[3] ?? 0);
  const rows = run
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const before = (a: readonly string[], b: readonly string[]) =>
    Number(a[4]) > Number(b[4]) ||
    (Number(a[4]) === Number(b[4]) && Buffer.compare(Buffer.from(a[2]!), Buffer.from(b[2]!)) > 0);
  const table = rows
    .map((row) => ({ rank: 1 + rows.filter((other) => before(other, row)).length, grade: gradeOf(row[2]!) }))
    .filter(({ rank }) => rank <= k);
  const relevant = grades.filter(([, , , grade]) => Number(grade) >= 1).length;
  const found = table.filter(({ grade }) => grade >= 1);
  const log2 = (x: number) => Math.log(x) / Math.LN2;
  const dcg = (entries: readonly { rank: number; grade: number }[], gain: (grade: number) => number) =>
    entries.reduceRight((sum, { rank, grade }) => sum + (grade > 0 ? gain(grade) / log2(1 + rank) : 0), 0);
  const ideal = grades
    .map(([, , , grade]) => Number(grade))
    .toSorted((a, b) => b - a)
    .map((grade, place) => ({ rank: place + 1, grade }))
    .filter(({ rank }) => rank <= k);
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
  const ndcg = (gain: (grade: number) => number) => share(dcg(table, gain), dcg(ideal, gain));
  const best = found.reduce((least, { rank }) => Math.min(least, rank), Infinity);
  return {
    ndcg: ndcg((grade) => grade),
    ndcg_exp: ndcg((grade) => Math.pow(2, grade) - 1),
    recall: share(found.length, relevant),
    precision: found.length / k,
    mrr: 1 / best,
    map: share(
      found.reduce((sum, { rank }) => sum + found.filter((other) => other.rank <= rank).length / rank, 0),
      relevant,
    ),
    success: found.length === 0 ? 0 : 1,
  };
}

it(`agrees with an independent implementation on ${RUNS} random runs with ties`, () => {
  const random = createRandom(20_261_124);
  const below = (n: number) => Math.floor(nextWord(random) * WORD * n);
  const names = Array.from({ length: DOCUMENTS }, (_, i) => `${["d", "é", "\u{10000}", "\uFB01"][i % 4]}${i}`);
  let ties = 0;
  for (let round = 0; round < RUNS; round++) {
    const found = names.filter(() => below(3) > 0);
    if (found.length === 0) continue;
    const scores = found.map(() => below(6) / 4); // few different ones, so that most are tied
    ties += scores.length - new Set(scores).size;
    const run = formatTrecRun([["q", found.map((id, i) => ({ id, score: scores[i]! }))]], "test");
    const qrels = names
      .filter((_, i) => i === 0 || below(2) > 0)
      .map((id) => `q 0 ${id} ${below(4)}`)
      .join("\n");
    const k = 1 + below(30);
    const ranked = parseTrecRun(run, "run")
      .rankings.get("q")!
      .map(({ id }) => id);
    const judgements = parseQrels(qrels, "qrels").judgements.get("q")!;
    const want = oracle(run, qrels, k);
    for (const name of METRIC_NAMES)
      expect(Math.abs(METRICS[name](ranked, judgements, k) - want[name]), `${name}, round ${round}`).toBeLessThan(1e-9);
  }
  expect(ties).toBeGreaterThan(5 * RUNS);
});
