import type { Settings } from "@emb/config";
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
  readonly maxP95Ratio?: string;
  readonly maxErrorPct?: string;
  readonly maxUsdPer1000?: string;
  readonly scoreCut?: string;
  readonly keep?: string;
}

type Rollout = Settings["rollout"];

const ROUNDS = 10_000;
const SEED = 1;

const MAX_K = 100;

/** What the command line says, else the `rollout` section of the environment's file. @throws EmbError EMB_USAGE naming the option */
export function comparisonSettings(flags: ComparisonFlags, rollout: Rollout): ComparisonSettings {
  const { metric = rollout.metric } = flags;
  if (!isMetricName(metric))
    throw new EmbError("EMB_USAGE", `--metric: expected one of ${METRIC_NAMES.join(", ")}, got "${metric}"`, {
      hint: "For example --metric ndcg.",
    });
  const { minEffect, slice, minSliceQueries, rounds } = flags;
  return {
    ...evaluationSettings(flags, rollout),
    metric,
    margin: flags.margin === undefined ? rollout.margin : numberBetween("--margin", flags.margin, [0, 1]),
    minEffect: minEffect === undefined ? rollout.minEffect : numberBetween("--min-effect", minEffect, [0, 1]),
    sliceBy: slice ?? rollout.slice,
    minSliceQueries:
      minSliceQueries === undefined ? rollout.minSliceQueries : wholeNumber("--min-slice-queries", minSliceQueries),
    rounds: rounds === undefined ? ROUNDS : wholeNumber("--rounds", rounds, [100, 1_000_000]),
    limits: limitsOf(flags, rollout.limits),
    scoreCut: scoreCutOf(flags),
  };
}

/** @throws EmbError EMB_USAGE naming the option */
export function evaluationSettings(flags: Pick<ComparisonFlags, "k" | "alpha" | "seed">, rollout: Rollout) {
  const { k, alpha, seed } = flags;
  return {
    k: k === undefined ? rollout.k : wholeNumber("--k", k, [1, MAX_K]),
    alpha: alpha === undefined ? rollout.alpha : numberBetween("--alpha", alpha, [0.0001, 0.4]),
    seed: seed === undefined ? SEED : wholeNumber("--seed", seed),
    rounds: ROUNDS,
  };
}

function limitsOf(flags: ComparisonFlags, configured: Rollout["limits"]): LimitSettings {
  const limit = (flag: string, text: string | undefined, most: number, inFile: number | null) =>
    text === undefined ? (inFile ?? undefined) : numberBetween(flag, text, [0, most]);
  const { maxP50Ms, maxP95Ms, maxP99Ms, maxP95Ratio, maxErrorPct, maxUsdPer1000 } = flags;
  const limits = {
    p50Ms: limit("--max-p50-ms", maxP50Ms, 1e9, configured.maxP50Ms),
    p95Ms: limit("--max-p95-ms", maxP95Ms, 1e9, configured.maxP95Ms),
    p99Ms: limit("--max-p99-ms", maxP99Ms, 1e9, configured.maxP99Ms),
    p95Ratio: limit("--max-p95-ratio", maxP95Ratio, 1e6, configured.maxP95Ratio),
    errorPct: limit("--max-error-pct", maxErrorPct, 100, configured.maxErrorPct),
    costPer1000QueriesUsd: limit("--max-usd-per-1000", maxUsdPer1000, 1e9, configured.maxUsdPer1000),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

function scoreCutOf({ scoreCut, keep = "precision" }: ComparisonFlags): ComparisonSettings["scoreCut"] {
  if (keep !== "precision" && keep !== "recall")
    throw new EmbError("EMB_USAGE", `--keep: expected precision or recall, got "${keep}"`, {
      hint: "For example --keep recall.",
    });
  if (scoreCut === undefined) return null;
  return { keep, baselineThreshold: numberBetween("--score-cut", scoreCut, [-1e9, 1e9]) };
}
