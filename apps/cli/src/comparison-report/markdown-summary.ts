import type { Comparison, PairedResult } from "@emb/eval";
import { calibrationWords } from "../evaluation/calibration-words.js";
import { comparisonOddities } from "../evaluation/oddity-words.js";
import { extremes } from "./difference-plot.js";
import { milliseconds, signed, whole } from "./number-text.js";
import type { ReportContent } from "./report-content.js";
import { metricLabel, nextStep, shownReasons, verdictSentence } from "./verdict-words.js";

const SIGN = { GO: "✅", "NO-GO": "⛔", INCONCLUSIVE: "❔" } as const;
/** Queries that lost most. */
const SHOWN = 3;
const TEXT_LENGTH = 100;

/** A comparison for a pull request. Pure. Whatever is not emb's own words stands in a code span, where it is neither markup, link nor mention. */
export function markdownSummary({ comparison, origin }: ReportContent): string {
  const { verdict, warnings, settings, metrics, slices, perQuery } = comparison;
  const sentence = verdictSentence(comparison).map(ours);
  const calibrated = calibrationWords(comparison);
  const next = nextStep(comparison);
  const odd = comparisonOddities(comparison).map(({ text, ids }) =>
    ids.length === 0 ? text : `${text}: ${ids.map(code).join(", ")}`,
  );
  const { worst } = extremes(perQuery, SHOWN);
  return [
    `### ${SIGN[verdict.kind]} ${verdict.kind}: ${sentence.join("")}`,
    "",
    ...(next === null ? [] : [next, ""]),
    ...warnings.flatMap(({ text }) => [`⚠️ ${text}`, ""]),
    ...shownReasons(comparison).map(({ text }) => `- ${code(text)}`),
    "",
    ...(metrics === null
      ? []
      : pairedTable(
          "metric",
          [settings.metric, ...OTHERS.filter((name) => name !== settings.metric)].map((name) => [
            metricLabel(name, settings.k),
            metrics[name],
          ]),
          settings.alpha,
        )),
    ...(slices.length === 0
      ? []
      : pairedTable(
          `slice by ${cell(settings.sliceBy ?? "")}`,
          slices.map(({ name, kind, result }) => [`${cell(name)} ${kind ?? "(too few queries)"}`, result]),
          settings.alpha,
        )),
    ...serviceTable(comparison),
    ...(calibrated === null ? [] : [`For a service that cuts by score: ${calibrated.map(ours).join("")}.`, ""]),
    ...(worst.length === 0
      ? []
      : [
          "Lost most:",
          "",
          ...worst.map(({ text, difference }) => `- ${signed(difference)} ${code(shorten(text))}`),
          "",
        ]),
    ...(odd.length === 0 ? [] : [`Odd about the input: ${odd.join("; ")}.`, ""]),
    `Verdict ${code(origin.verdictId)} of ${origin.at}, ${code(origin.environment)}, base ${code(origin.base)}; margin ${settings.margin}, alpha ${settings.alpha}, seed ${settings.seed}.`,
    "",
  ].join("\n");
}

const OTHERS = ["ndcg", "recall", "mrr", "success"] as const;

const pairedTable = (head: string, rows: readonly (readonly [string, PairedResult])[], alpha: number): string[] => [
  `| ${head} | queries | baseline | candidate | difference | bounds at ${alpha} | better/worse |`,
  "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
  ...rows.map(
    ([name, { queries, baseline, candidate, difference, lower, upper, wins, losses }]) =>
      `| ${name} | ${whole(queries)} | ${baseline.toFixed(4)} | ${candidate.toFixed(4)} | ${signed(difference)} | ${signed(lower)} to ${signed(upper)} | ${whole(wins)}/${whole(losses)} |`,
  ),
  "",
];

const serviceTable = ({ baseline, candidate }: Comparison): string[] => [
  "| profile | p50 ms | p95 ms | p99 ms | errors % | USD per 1,000 |",
  "| --- | ---: | ---: | ---: | ---: | ---: |",
  ...[baseline, candidate].map(({ name, facts: { latencyMs, errorPct, costPer1000QueriesUsd: usd } }) => {
    const times = [latencyMs?.p50, latencyMs?.p95, latencyMs?.p99].map(milliseconds);
    return `| ${cell(name)} | ${times.join(" | ")} | ${errorPct.toFixed(2)} | ${usd === null ? "unknown" : usd.toFixed(4)} |`;
  }),
  "",
];

/** A code span on one line whose fence is longer than any in the text. Source: CommonMark 0.31.2, 6.1. */
export function code(text: string): string {
  const line = text
    // what turns the direction of the text behind it would turn our words too
    .replaceAll(/[\p{Surrogate}\u202A-\u202E\u2066-\u2069]/gu, "\uFFFD")
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    .replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, " ");
  if (line.trim() === "") return "``` ```";
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const air = longest > 0 || line.startsWith(" ") || line.endsWith(" ") ? " " : "";
  return `${fence}${air}${line}${air}${fence}`;
}

/** A part of a sentence: our words as they are, a name in a code span. */
const ours = (part: string | { readonly name: string }): string => (typeof part === "string" ? part : code(part.name));

/** In a table a vertical bar would end the cell, whatever stands before it: it is shown as a broken one. */
const cell = (text: string): string => code(text.replaceAll("|", "¦"));

const shorten = (text: string): string => (text.length <= TEXT_LENGTH ? text : `${text.slice(0, TEXT_LENGTH)}…`);
