import type { Comparison, QueryComparison } from "@emb/eval";
import { figure } from "./figure.js";
import { html, type Html } from "./markup.js";
import { counted, signed, whole } from "./number-text.js";
import { linearScale, percent, ticks, decimalsOf } from "./scale.js";
import { metricLabel } from "./verdict-words.js";

const HEIGHT = 260;
/** Differences smaller than this are rounding: a sum in another order. */
const SAME = 1e-12;
const DECILES = [0, 10, 25, 50, 75, 90, 100];

/** One bar for each query, from the greatest loss to the greatest gain. */
export function differencePlot({ perQuery, settings }: Comparison): Html | null {
  if (perQuery.length === 0) return null;
  const sorted = perQuery.map(({ difference }) => difference).toSorted((a, b) => a - b);
  const worse = sorted.filter((difference) => difference < -SAME).length;
  const better = sorted.filter((difference) => difference > SAME).length;
  const equal = sorted.length - worse - better;
  const reach = Math.max(Math.abs(sorted[0]!), Math.abs(sorted.at(-1)!), 0.01);
  const scale = linearScale(-reach * 1.1, reach * 1.1);
  const y = (value: number) => Number(((1 - scale.at(value)) * HEIGHT).toFixed(2));
  const values = ticks(scale, 5);
  const decimals = decimalsOf(values);
  const where = { worse: worse / sorted.length, better: 1 - better / sorted.length };
  const word = (part: number, at: number, anchor: string, kind: string, line: number) =>
    part === 0
      ? null
      : html`<text class="count ${kind}" x="${percent(at)}" y="${line}" text-anchor="${anchor}"
          >${whole(part)} ${kind}</text
        >`;
  return figure({
    id: "differences",
    title: `Each query: ${metricLabel(settings.metric, settings.k)}, candidate minus baseline`,
    says: `${counted(sorted.length, "query", "queries")}, sorted from the greatest loss to the greatest gain: ${whole(better)} better, ${whole(equal)} equal, ${whole(worse)} worse.`,
    body: html`<svg class="chart" width="100%" height="${HEIGHT}" aria-hidden="true" focusable="false">
      ${values.map((value) => html`<line class="${value === 0 ? "zero" : "grid"}" x1="0" x2="100%" y1="${y(value)}" y2="${y(value)}" />`)}
      <svg
        x="0"
        y="0"
        width="100%"
        height="${HEIGHT}"
        viewBox="0 0 ${sorted.length} ${HEIGHT}"
        preserveAspectRatio="none"
      >
        <path class="area worse" d="${bars(sorted.slice(0, worse), 0, y)}" />
        <path class="area better" d="${bars(sorted.slice(sorted.length - better), sorted.length - better, y)}" />
      </svg>
      ${values.map((value) => html`<text class="tick" x="${value < 0 ? "100%" : "0"}" y="${y(value) - 5}" text-anchor="${value < 0 ? "end" : "start"}">${signed(value, decimals)}</text>`)}
      ${word(worse, Math.max(where.worse / 2, 0.16), "middle", "worse", y(0) - 10)}${word(better, Math.min(1, (1 + where.better) / 2), where.better > 0.8 ? "end" : "middle", "better", y(0) + 20)}
    </svg>`,
    numbers: {
      head: ["Share of queries", "Difference at most"],
      rows: DECILES.map((part) => [
        `${part}%`,
        signed(sorted[Math.max(0, Math.ceil((part / 100) * sorted.length) - 1)]!),
      ]),
    },
  });
}

/** Bars side by side as one path; equal neighbours are one step of it, so that ten thousand queries stay a small file. */
function bars(values: readonly number[], start: number, y: (value: number) => number): string {
  const zero = y(0);
  let path = "";
  for (let from = 0; from < values.length;) {
    let to = from + 1;
    while (to < values.length && y(values[to]!) === y(values[from]!)) to++;
    path += `M${start + from} ${zero}V${y(values[from]!)}H${start + to}V${zero}Z`;
    from = to;
  }
  return path;
}

/** The queries that lost and won most, ties by id; those that did not change are neither. */
export function extremes(
  perQuery: readonly QueryComparison[],
  most: number,
): { worst: QueryComparison[]; best: QueryComparison[] } {
  const byDifference = perQuery.toSorted((a, b) => a.difference - b.difference || (a.id < b.id ? -1 : 1));
  return {
    worst: byDifference.filter(({ difference }) => difference < -SAME).slice(0, most),
    best: byDifference
      .toReversed()
      .filter(({ difference }) => difference > SAME)
      .slice(0, most),
  };
}
