import { holm } from "./holm.js";
import type { PairedResult } from "./paired.js";
import { queriesNeeded } from "./power.js";

/** Fewer independent groups of queries than this carry no interval. */
export const MIN_CLUSTERS = 10;

export interface VerdictSettings {
  /** Named in the reasons, such as ndcg@10. */
  readonly metric: string;
  readonly alpha: number;
  /** Most that the candidate may be worse, absolute, in the metric's unit. 0 or more. */
  readonly margin: number;
  /** Least that the candidate must be better overall; null: nothing is asked. */
  readonly minEffect: number | null;
  /** A slice with fewer queries is shown and decides nothing. */
  readonly minSliceQueries: number;
}

export interface Slice {
  readonly name: string;
  readonly result: PairedResult;
}

/** A limit beside quality, of latency, errors or price. `seen` null: it could not be measured. */
export interface Limit {
  readonly name: string;
  readonly seen: number | null;
  /** Most that is accepted. */
  readonly limit: number;
}

export type ReasonCode =
  | "not-worse" // lower bound above minus the margin
  | "worse" // upper bound below minus the margin
  | "undecided" // the interval holds minus the margin
  | "better" // lower bound above the effect asked for
  | "effect-not-shown"
  | "too-few-queries"
  | "no-judgements"
  | "nothing-found" // neither side found a relevant document for any query
  | "limit-kept"
  | "limit-broken"
  | "limit-unknown";

/** Why, with both numbers. */
export interface Reason {
  readonly code: ReasonCode;
  /** Null: of all queries. */
  readonly slice: string | null;
  readonly seen: number | null;
  readonly limit: number | null;
  readonly text: string;
}

export type Verdict =
  | { readonly kind: "GO"; readonly reasons: readonly Reason[] }
  | { readonly kind: "NO-GO"; readonly reasons: readonly Reason[] }
  | {
      readonly kind: "INCONCLUSIVE";
      readonly reasons: readonly Reason[];
      /** Judged queries in all that would settle it with a chance of 80%; null when more queries of this kind would not. */
      readonly queriesNeeded: number | null;
    };

export interface SliceVerdict extends Slice {
  /** Null: too few queries to decide anything. */
  readonly kind: Verdict["kind"] | null;
  /** `pWorse` after Holm over the slices with enough queries; null without enough. */
  readonly pWorseHolm: number | null;
  /** Queries of this slice that would settle it. */
  readonly queriesNeeded: number | null;
}

/**
 * The rules of design.md section 9. GO: the lower bound is above minus the margin overall and in every slice with enough queries, above
 * `minEffect` overall when one is asked for, and every limit is kept. NO-GO: the upper bound is below minus the margin overall, or in a slice
 * after Holm's correction over slices, or a limit is broken. Else INCONCLUSIVE, also where neither side found anything relevant at all.
 * @param overall null: no query was judged
 */
export function decideVerdict(
  overall: PairedResult | null,
  slices: readonly Slice[],
  limits: readonly Limit[],
  settings: VerdictSettings,
): { verdict: Verdict; slices: readonly SliceVerdict[] } {
  const decided = decideSlices(slices, settings);
  const reasons = [
    ...(overall === null ? [noJudgements(settings)] : reasonsOf(overall, settings)),
    ...decided.map((slice) => sliceReason(slice, settings)),
    ...limits.map(limitReason),
  ];
  return { verdict: conclude(reasons, overall, decided, settings), slices: decided };
}

/** What each reason says for the whole: the worst of them is the verdict. */
const SAYS = {
  "not-worse": "GO",
  better: "GO",
  "limit-kept": "GO",
  worse: "NO-GO",
  "limit-broken": "NO-GO",
  undecided: "INCONCLUSIVE",
  "effect-not-shown": "INCONCLUSIVE",
  "too-few-queries": "INCONCLUSIVE",
  "no-judgements": "INCONCLUSIVE",
  "nothing-found": "INCONCLUSIVE",
  "limit-unknown": "INCONCLUSIVE",
} as const satisfies Record<ReasonCode, Verdict["kind"]>;

function conclude(
  reasons: readonly Reason[],
  overall: PairedResult | null,
  slices: readonly SliceVerdict[],
  settings: VerdictSettings,
): Verdict {
  // a slice without enough queries is told, and decides nothing
  const deciding = reasons.filter(({ code, slice }) => slice === null || code !== "too-few-queries");
  const that = (kind: Verdict["kind"]) => deciding.filter(({ code }) => SAYS[code] === kind);
  if (that("NO-GO").length > 0) return { kind: "NO-GO", reasons: [...that("NO-GO"), ...without(reasons, "NO-GO")] };
  const open = that("INCONCLUSIVE");
  if (open.length > 0)
    return {
      kind: "INCONCLUSIVE",
      reasons: [...open, ...reasons.filter((reason) => !open.includes(reason))],
      queriesNeeded: overall === null ? null : neededInAll(open, overall, slices, settings),
    };
  return { kind: "GO", reasons };
}

const without = (reasons: readonly Reason[], kind: Verdict["kind"]): Reason[] =>
  reasons.filter(({ code }) => SAYS[code] !== kind);

function decideSlices(slices: readonly Slice[], settings: VerdictSettings): SliceVerdict[] {
  const enough = slices.filter(({ result }) => hasEnough(result, settings.minSliceQueries));
  const adjusted = holm(enough.map(({ result }) => result.pWorse));
  return slices.map((slice) => {
    const place = enough.indexOf(slice);
    if (place < 0) return { ...slice, kind: null, pWorseHolm: null, queriesNeeded: settings.minSliceQueries };
    const pWorseHolm = adjusted[place]!;
    if (foundNothing(slice.result)) return { ...slice, kind: "INCONCLUSIVE", pWorseHolm, queriesNeeded: null };
    const kind = slice.result.lower > -settings.margin ? "GO" : pWorseHolm < settings.alpha ? "NO-GO" : "INCONCLUSIVE";
    return {
      ...slice,
      kind,
      pWorseHolm,
      queriesNeeded: kind === "INCONCLUSIVE" ? settled(slice.result, settings) : null,
    };
  });
}

/** Two sides that are equal because both score 0 everywhere say nothing about either: the judgements name documents of another corpus, or none. */
const foundNothing = ({ baseline, candidate }: PairedResult): boolean => baseline === 0 && candidate === 0;

const hasEnough = ({ queries, clusters }: PairedResult, least: number): boolean =>
  queries >= least && clusters >= MIN_CLUSTERS;

/** Of all queries. */
function reasonsOf(result: PairedResult, settings: VerdictSettings): Reason[] {
  const { metric, margin, minEffect } = settings;
  if (result.clusters < MIN_CLUSTERS)
    return [
      {
        code: "too-few-queries",
        slice: null,
        seen: result.clusters,
        limit: MIN_CLUSTERS,
        text: `${result.queries} judged queries in ${result.clusters} independent groups, at least ${MIN_CLUSTERS} groups needed (queries that share a judged document are one group)`,
      },
    ];
  if (foundNothing(result)) return [nothingFound(null, result, settings)];
  const quality = marginReason(null, result, metric, margin, result.upper < -margin);
  if (minEffect === null) return [quality];
  const shown = result.lower > minEffect;
  const effect: Reason = {
    code: shown ? "better" : "effect-not-shown",
    slice: null,
    seen: result.lower,
    limit: minEffect,
    text: `${metric}: lower bound ${signed(result.lower)} is ${shown ? "above" : "not above"} the effect asked for, ${signed(minEffect)}`,
  };
  return [quality, effect];
}

function sliceReason({ name, result, kind }: SliceVerdict, settings: VerdictSettings): Reason {
  if (kind !== null && foundNothing(result)) return nothingFound(name, result, settings);
  if (kind !== null) return marginReason(name, result, settings.metric, settings.margin, kind === "NO-GO");
  return {
    code: "too-few-queries",
    slice: name,
    seen: result.queries,
    limit: settings.minSliceQueries,
    text: `slice ${name}: ${result.queries} queries in ${result.clusters} independent groups, at least ${settings.minSliceQueries} in ${MIN_CLUSTERS} needed to decide`,
  };
}

function marginReason(
  slice: string | null,
  result: PairedResult,
  metric: string,
  margin: number,
  worse: boolean,
): Reason {
  const { lower, upper, difference } = result;
  const where = slice === null ? metric : `slice ${slice}: ${metric}`;
  // how few differ is what an interval cannot tell
  const seenDifference = `difference ${signed(difference)} over ${result.queries} queries, ${result.wins} better and ${result.losses} worse`;
  const limit = -margin;
  if (lower > limit)
    return {
      code: "not-worse",
      slice,
      seen: lower,
      limit,
      text: `${where}: lower bound ${signed(lower)} is above minus the margin, ${signed(limit)}; ${seenDifference}`,
    };
  if (worse)
    return {
      code: "worse",
      slice,
      seen: upper,
      limit,
      text: `${where}: upper bound ${signed(upper)} is below minus the margin, ${signed(limit)}; ${seenDifference}`,
    };
  return {
    code: "undecided",
    slice,
    seen: lower,
    limit,
    text: `${where}: ${signed(lower)} to ${signed(upper)} leaves open whether it is above minus the margin, ${signed(limit)}; ${seenDifference}`,
  };
}

function limitReason({ name, seen, limit }: Limit): Reason {
  const code = seen === null ? "limit-unknown" : seen <= limit ? "limit-kept" : "limit-broken";
  const is =
    code === "limit-kept"
      ? "is within"
      : code === "limit-broken"
        ? "is over"
        : "unknown, and so not known to be within";
  return {
    code,
    slice: null,
    seen,
    limit,
    text: `${name}: ${seen === null ? "" : `${round(seen)} `}${is} the limit ${round(limit)}`,
  };
}

const noJudgements = ({ metric }: VerdictSettings): Reason => ({
  code: "no-judgements",
  slice: null,
  seen: 0,
  limit: MIN_CLUSTERS,
  text: `${metric}: no query has a judgement, so only how much the answers differ can be said, not which are better`,
});

const nothingFound = (
  slice: string | null,
  { queries }: PairedResult,
  { metric, margin }: VerdictSettings,
): Reason => ({
  code: "nothing-found",
  slice,
  seen: 0,
  limit: -margin,
  text: `${slice === null ? metric : `slice ${slice}: ${metric}`}: neither side found a relevant document for any of ${queries} queries, so nothing can be said; check that the judgements name documents as the namespace does`,
});

/** Queries with which the bound nearer to deciding would clear what it is to clear. */
const settled = (result: PairedResult, { margin, alpha }: VerdictSettings): number | null =>
  queriesNeeded(Math.abs(result.difference + margin), result.standardError, { queries: result.queries, alpha });

/** The most of what the open questions need, each taken to all queries by its share of them. */
function neededInAll(
  open: readonly Reason[],
  overall: PairedResult,
  slices: readonly SliceVerdict[],
  settings: VerdictSettings,
): number | null {
  const { queries, clusters, standardError, difference } = overall;
  const needs = open.map((reason): number | null => {
    if (reason.code === "too-few-queries") return Math.ceil((queries * MIN_CLUSTERS) / clusters);
    if (reason.code === "effect-not-shown")
      return queriesNeeded(difference - (reason.limit ?? 0), standardError, { queries, alpha: settings.alpha });
    if (reason.code !== "undecided") return null;
    const slice = slices.find(({ name }) => name === reason.slice);
    if (slice === undefined) return settled(overall, settings);
    return slice.queriesNeeded === null ? null : Math.ceil((slice.queriesNeeded / slice.result.queries) * queries);
  });
  return needs.reduce<number | null>((most, need) => (most === null || need === null ? null : Math.max(most, need)), 0);
}

const round = (value: number): string => String(Number(value.toPrecision(4)));
const signed = (value: number): string => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;
