import { isMetricName, METRIC_NAMES, type ComparisonSettings, type LimitSettings } from "@emb/eval";
import { EmbError } from "@emb/manifest";
import { wholeNumber } from "../whole-number.js";
import { numberBetween } from "./number-between.js";

/** Options of `emb compare` that decide, as the command line gives them. */
export interface ComparisonFlags {
  readonly k?: string;
  readonly metric?: string;
  readonly margin?: string;
  readonly minEffect?: string;
  readonly slice?: string;
  readonly minSliceQueries?: string;
  readonly alpha?: string;
  readonly rounds?: string;
  readonly seed?: string;
  readonly maxP50Ms?: string;
  readonly maxP95Ms?: string;
  readonly maxP99Ms?: string;
  readonly maxErrorPct?: string;
  readonly maxUsdPer1000?: string;
  readonly scoreCut?: string;
  readonly keep?: string;
}

/** What is taken when nothing is said. */
const DEFAULT_SETTINGS = {
  metric: "ndcg",
  k: 10,
  margin: 0.01,
  alpha: 0.05,
  minSliceQueries: 20,
  rounds: 10_000,
  seed: 1,
} as const;

const MAX_K = 100;

/** @throws EmbError EMB_USAGE naming the option */
export function comparisonSettings(flags: ComparisonFlags): ComparisonSettings {
  const defaults = DEFAULT_SETTINGS;
  const { metric = defaults.metric } = flags;
  if (!isMetricName(metric))
    throw new EmbError("EMB_USAGE", `--metric: expected one of ${METRIC_NAMES.join(", ")}, got "${metric}"`, {
      hint: "For example --metric ndcg.",
    });
  const { minEffect, slice, minSliceQueries, rounds } = flags;
  return {
    ...evaluationSettings(flags),
    metric,
    margin: flags.margin === undefined ? defaults.margin : numberBetween("--margin", flags.margin, [0, 1]),
    minEffect: minEffect === undefined ? null : numberBetween("--min-effect", minEffect, [0, 1]),
    sliceBy: slice ?? null,
    minSliceQueries:
      minSliceQueries === undefined ? defaults.minSliceQueries : wholeNumber("--min-slice-queries", minSliceQueries),
    rounds: rounds === undefined ? defaults.rounds : numberOf("--rounds", rounds, [100, 1_000_000]),
    limits: limitsOf(flags),
    scoreCut: scoreCutOf(flags),
  };
}

/** @throws EmbError EMB_USAGE naming the option */
export function evaluationSettings(flags: Pick<ComparisonFlags, "k" | "alpha" | "seed">) {
  const { k, alpha, seed } = flags;
  return {
    k: k === undefined ? DEFAULT_SETTINGS.k : numberOf("--k", k, [1, MAX_K]),
    alpha: alpha === undefined ? DEFAULT_SETTINGS.alpha : numberBetween("--alpha", alpha, [0.0001, 0.4]),
    seed: seed === undefined ? DEFAULT_SETTINGS.seed : wholeNumber("--seed", seed),
    rounds: DEFAULT_SETTINGS.rounds,
  };
}

function numberOf(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const value = wholeNumber(flag, text, most);
  if (value >= least) return value;
  throw new EmbError("EMB_USAGE", `${flag}: expected a whole number of at least ${least}, got "${text}"`, {
    hint: `For example ${flag} ${least * 10}.`,
  });
}

function limitsOf(flags: ComparisonFlags): LimitSettings {
  const ms = (flag: string, text: string | undefined) =>
    text === undefined ? undefined : numberBetween(flag, text, [0, 1e9]);
  const [p50Ms, p95Ms, p99Ms] = [
    ms("--max-p50-ms", flags.maxP50Ms),
    ms("--max-p95-ms", flags.maxP95Ms),
    ms("--max-p99-ms", flags.maxP99Ms),
  ];
  const { maxErrorPct, maxUsdPer1000 } = flags;
  return {
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p95Ms !== undefined && { p95Ms }),
    ...(p99Ms !== undefined && { p99Ms }),
    ...(maxErrorPct !== undefined && { errorPct: numberBetween("--max-error-pct", maxErrorPct, [0, 100]) }),
    ...(maxUsdPer1000 !== undefined && {
      costPer1000QueriesUsd: numberBetween("--max-usd-per-1000", maxUsdPer1000, [0, 1e9]),
    }),
  };
}

function scoreCutOf({ scoreCut, keep = "precision" }: ComparisonFlags): ComparisonSettings["scoreCut"] {
  if (keep !== "precision" && keep !== "recall")
    throw new EmbError("EMB_USAGE", `--keep: expected precision or recall, got "${keep}"`, {
      hint: "For example --keep recall.",
    });
  if (scoreCut === undefined) return null;
  return { keep, baselineThreshold: numberBetween("--score-cut", scoreCut, [-1e9, 1e9]) };
}
