import type { Comparison, Evaluation, Oddities, PairedResult, ServiceFacts, Verdict } from "@emb/eval";
import { paint, table, type Output } from "../output.js";
import { calibrationWords } from "./calibration-words.js";
import { comparisonOddities, evaluationOddities, oddityLine, type OddityWords } from "./oddity-words.js";

const COLOR = { GO: "green", "NO-GO": "red", INCONCLUSIVE: "yellow" } as const;

/** A comparison for people: the verdict on top, in words. */
export function comparisonLines(comparison: Comparison, output: Pick<Output, "color">): string[] {
  const { verdict, warnings, settings, baseline, candidate, metrics, slices, similarity } = comparison;
  const lines = [
    `${paint(output, COLOR[verdict.kind], verdict.kind)}  ${baseline.name} -> ${candidate.name}, ${comparison.queries} queries, ${comparison.judgedQueries} judged`,
    ...verdict.reasons.map(({ text }) => `  ${text}`),
    ...neededLine(verdict),
    ...warnings.map(({ text }) => `  ${paint(output, "yellow", "warning")} ${text}`),
  ];
  if (metrics !== null)
    lines.push(
      "",
      ...pairedTable(
        "metric",
        Object.entries(metrics).map(([name, result]) => [`${name}@${settings.k}`, result]),
        settings.alpha,
      ),
    );
  if (slices.length > 0)
    lines.push(
      "",
      ...pairedTable(
        settings.sliceBy ?? "slice",
        slices.map(({ name, result }) => [name, result]),
        settings.alpha,
      ),
    );
  lines.push(
    "",
    `alike: overlap@${settings.k} ${number(similarity.overlap)}, RBO ${number(similarity.rbo)}, Kendall's tau ${number(similarity.kendallTau)}, best score ${signed(similarity.scores?.mean)} on average`,
    "",
    ...factsTable([
      [baseline.name, baseline.facts],
      [candidate.name, candidate.facts],
    ]),
  );
  const calibrated = calibrationWords(comparison);
  if (calibrated !== null)
    lines.push("", calibrated.map((part) => (typeof part === "string" ? part : part.name)).join(""));
  return [...lines, ...oddLines(comparisonOddities(comparison))];
}

export function evaluationLines(evaluation: Evaluation, oddities: Oddities, k: number): string[] {
  const { metrics, name, queries, judgedQueries, facts } = evaluation;
  const rows = Object.entries(metrics ?? {}).map(([metric, { mean, lower, upper }]) => [
    `${metric}@${k}`,
    number(mean),
    `${number(lower)} to ${number(upper)}`,
  ]);
  return [
    `${name}: ${queries} queries, ${judgedQueries} judged`,
    ...(rows.length === 0 ? ["no judgements, so no metrics"] : table(["metric", "mean", "interval"], rows)),
    "",
    ...factsTable([[name, facts]]),
    ...oddLines(evaluationOddities(evaluation, oddities)),
  ];
}

function neededLine(verdict: Verdict): string[] {
  if (verdict.kind !== "INCONCLUSIVE") return [];
  return verdict.queriesNeeded === null
    ? ["  more queries of this kind are not known to settle it"]
    : [`  about ${verdict.queriesNeeded} judged queries would settle it (with a chance of 80%)`];
}

const pairedTable = (head: string, rows: readonly (readonly [string, PairedResult])[], alpha: number): string[] =>
  table(
    [head, "queries", "baseline", "candidate", "difference", `bounds at ${alpha}`, "p", "better/worse"],
    rows.map(([name, result]) => [
      name,
      String(result.queries),
      number(result.baseline),
      number(result.candidate),
      signed(result.difference),
      `${signed(result.lower)} to ${signed(result.upper)}`,
      number(result.pValue),
      `${result.wins}/${result.losses}`,
    ]),
  );

const factsTable = (sides: readonly (readonly [string, ServiceFacts])[]): string[] =>
  table(
    ["profile", "p50 ms", "p95 ms", "p99 ms", "errors %", "tokens", "USD per 1,000"],
    sides.map(([name, facts]) => [
      name,
      ...[facts.latencyMs?.p50, facts.latencyMs?.p95, facts.latencyMs?.p99].map((ms) =>
        ms === undefined ? "-" : ms.toFixed(1),
      ),
      facts.errorPct.toFixed(2),
      facts.tokens === null ? "-" : String(facts.tokens),
      facts.costPer1000QueriesUsd === null ? "unknown" : facts.costPer1000QueriesUsd.toFixed(4),
    ]),
  );

const oddLines = (oddities: readonly OddityWords[]): string[] =>
  oddities.length === 0 ? [] : ["", ...oddities.map((words) => `odd: ${oddityLine(words)}`)];

const number = (value: number | null): string => (value === null ? "-" : value.toFixed(4));
const signed = (value: number | null | undefined): string =>
  value === null || value === undefined ? "-" : `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;
