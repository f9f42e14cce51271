import type { ComparedSide, Comparison } from "@emb/eval";
import { figure } from "./figure.js";
import { anchor } from "./interval.js";
import { html, type Html } from "./markup.js";
import { milliseconds } from "./number-text.js";
import { linearScale, logScale, percent, ticks, type Scale } from "./scale.js";

const HEIGHT = 240;
/** Points of a curve at most. */
const POINTS = 200;
const SHARES = [0.5, 0.9, 0.95, 0.99, 1];
/** Ratio of slowest to fastest from which the axis is logarithmic. */
const WIDE = 12;

/** Share of the queries that were answered within so many milliseconds, for both sides. */
export function latencyCurves({ baseline, candidate, settings }: Comparison): Html | null {
  const sides = [
    { side: baseline, kind: "baseline" },
    { side: candidate, kind: "candidate" },
  ].filter(({ side }) => side.facts.latenciesMs.length > 0);
  if (sides.length === 0) return null;
  const all = sides.flatMap(({ side }) => [side.facts.latenciesMs[0]!, side.facts.latenciesMs.at(-1)!]);
  const fastest = Math.max(Math.min(...all), 0.001);
  const slowest = Math.max(...all, fastest * 1.01);
  const logarithmic = slowest / fastest > WIDE;
  const scale = logarithmic ? logScale(fastest, slowest) : linearScale(0, slowest);
  const values = (logarithmic ? powers(scale) : ticks(scale, 5)).filter((value) => value > 0);
  const y = (part: number) => HEIGHT - 8 - part * (HEIGHT - 24);
  const limits = [settings.limits.p50Ms, settings.limits.p95Ms, settings.limits.p99Ms].filter(
    (limit) => limit !== undefined,
  );
  const words = sides.map(
    ({ side }) =>
      `${side.name}: half within ${milliseconds(side.facts.latencyMs?.p50)} ms, 95% within ${milliseconds(side.facts.latencyMs?.p95)} ms, 99% within ${milliseconds(side.facts.latencyMs?.p99)} ms`,
  );
  return figure({
    id: "latency",
    title: "Queries answered within a time",
    says: `${words.join("; ")}.${logarithmic ? " The axis is logarithmic." : ""}`,
    body: html`<p class="series">
        ${sides.map(({ side, kind }) => html`<span class="${kind}"><span class="key"></span><bdi>${side.name}</bdi></span> `)}
      </p>
      <svg class="chart" width="100%" height="${HEIGHT}" aria-hidden="true" focusable="false">
        ${[0.5, 0.95].map((part) => html`<line class="grid" x1="0" x2="100%" y1="${y(part)}" y2="${y(part)}" />`)}
        <line class="zero" x1="0" x2="100%" y1="${y(0)}" y2="${y(0)}" />
        ${limits.map((limit) => html`<line class="cut" x1="${percent(scale.at(limit))}" x2="${percent(scale.at(limit))}" y1="${y(1)}" y2="${y(0)}"><title>limit ${milliseconds(limit)} ms</title></line>`)}
        <svg x="0" y="0" width="100%" height="${HEIGHT}" viewBox="0 0 1000 ${HEIGHT}" preserveAspectRatio="none">
          ${sides.map(({ side, kind }) => html`<path class="curve ${kind}" d="${curve(side, scale, y)}" />`)}
        </svg>
        ${sides.map(({ side, kind }) =>
          SHARES.slice(0, 1)
            .concat(0.95)
            .map((part) => {
              const value = quantile(side, part);
              return html`<circle class="point ${kind}" cx="${percent(scale.at(value))}" cy="${y(part)}" r="4.5"
                ><title>${side.name}: ${part * 100}% within ${milliseconds(value)} ms</title></circle
              >`;
            }),
        )}
        ${[0.5, 0.95].map((part) => html`<text class="tick halo" x="0" y="${y(part) - 4}">${part * 100}%</text>`)}</svg
      ><svg class="axis" width="100%" height="20" aria-hidden="true" focusable="false">
        ${values.map((value) => html`<text class="tick" x="${percent(scale.at(value))}" y="15" text-anchor="${anchor(scale.at(value))}">${milliseconds(value).replace(/\.?0+$/, "") || "0"} ms</text>`)}
      </svg>`,
    numbers: {
      head: ["Share of queries", ...sides.map(({ side }) => `${side.name}, ms`)],
      rows: SHARES.map((part) => [`${part * 100}%`, ...sides.map(({ side }) => milliseconds(quantile(side, part)))]),
    },
  });
}

/** The smallest time that a share of the answers do not pass. */
const quantile = ({ facts }: ComparedSide, part: number): number =>
  facts.latenciesMs[Math.max(0, Math.ceil(part * facts.latenciesMs.length) - 1)]!;

function curve(side: ComparedSide, scale: Scale, y: (part: number) => number): string {
  const count = Math.min(POINTS, side.facts.latenciesMs.length);
  const points = Array.from({ length: count }, (_, place) => {
    const part = (place + 1) / count;
    return `${(scale.at(quantile(side, part)) * 1000).toFixed(1)} ${y(part).toFixed(1)}`;
  });
  return `M${(scale.at(side.facts.latenciesMs[0]!) * 1000).toFixed(1)} ${y(0)}L${points.join("L")}`;
}

/** 1, 2 and 5 times the powers of ten within a scale, fewer where they would be crowded. */
function powers({ least, most }: Scale): number[] {
  const decades = Math.log10(most / least);
  const factors = decades > 2.5 ? [1] : decades > 1.3 ? [1, 3] : [1, 2, 5];
  const values: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++)
    for (const factor of factors) values.push(Number((factor * 10 ** power).toPrecision(3)));
  return values.filter((value) => value >= least && value <= most);
}
