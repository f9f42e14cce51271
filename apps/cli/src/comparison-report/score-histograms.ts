import type { Comparison } from "@emb/eval";
import { figure } from "./figure.js";
import { anchor } from "./interval.js";
import { html, type Html } from "./markup.js";
import { counted, share, signed, whole } from "./number-text.js";
import { decimalsOf, percent, scaleAround, ticks, type Scale } from "./scale.js";

const BINS = 28;
const HEIGHT = 96;

/** The best score of each query on both sides, one above the other on one axis, each with its median. */
export function scoreHistograms({ similarity, baseline, candidate, calibration }: Comparison): Html | null {
  const { bestScores, scores } = similarity;
  if (scores === null || bestScores.length === 0) return null;
  const scale = scaleAround(bestScores.flat(), 0.03);
  const sides = [
    {
      name: baseline.name,
      kind: "baseline",
      counts: binned(
        bestScores.map(([score]) => score),
        scale,
      ),
      p50: scores.baseline.p50,
      cut: calibration?.baselineThreshold ?? null,
    },
    {
      name: candidate.name,
      kind: "candidate",
      counts: binned(
        bestScores.map(([, score]) => score),
        scale,
      ),
      p50: scores.candidate.p50,
      cut: calibration?.threshold ?? null,
    },
  ];
  const most = Math.max(...sides.flatMap(({ counts }) => counts));
  const values = ticks(scale, 5);
  const decimals = decimalsOf(values);
  const edge = (bin: number) => scale.least + ((scale.most - scale.least) * bin) / BINS;
  return figure({
    id: "scores",
    title: "Best score of each query",
    says: `Median ${share(scores.baseline.p50)} in the baseline, ${share(scores.candidate.p50)} in the candidate; ${signed(scores.mean)} on average over ${counted(bestScores.length, "query", "queries")}. Two models’ scores are on scales of their own: a service that cuts by score must move its threshold.`,
    body: html`${sides.map(
        ({ name, kind, counts, p50, cut }) =>
          html`<p class="series ${kind}"><span class="key"></span><bdi>${name}</bdi></p>
            <svg class="chart" width="100%" height="${HEIGHT}" aria-hidden="true" focusable="false">
              ${counts.map((count, bin) => {
                const height = (count / most) * (HEIGHT - 14);
                return count === 0
                  ? null
                  : html`<rect
                      class="bin ${kind}"
                      x="${percent(bin / BINS + 0.001)}"
                      width="${percent(1 / BINS - 0.002)}"
                      y="${(HEIGHT - height).toFixed(2)}"
                      height="${height.toFixed(2)}"
                      ><title>
                        ${counted(count, "query", "queries")} from ${share(edge(bin))} to ${share(edge(bin + 1))}
                      </title></rect
                    >`;
              })}
              <line class="zero" x1="0" x2="100%" y1="${HEIGHT - 0.5}" y2="${HEIGHT - 0.5}" />
              <line
                class="median"
                x1="${percent(scale.at(p50))}"
                x2="${percent(scale.at(p50))}"
                y1="10"
                y2="${HEIGHT}"
              />
              <text class="tick halo" x="${percent(scale.at(p50))}" y="9" text-anchor="${anchor(scale.at(p50))}">
                median ${p50.toFixed(2)}
              </text>
              ${cut === null ? null : html`<line class="cut" x1="${percent(scale.at(cut))}" x2="${percent(scale.at(cut))}" y1="0" y2="${HEIGHT}"><title>threshold ${share(cut)}</title></line>`}
            </svg>`,
      )}<svg class="axis" width="100%" height="20" aria-hidden="true" focusable="false">
        ${values.map((value) => html`<text class="tick" x="${percent(scale.at(value))}" y="15" text-anchor="${anchor(scale.at(value))}">${value.toFixed(decimals)}</text>`)}
      </svg>`,
    numbers: {
      head: ["Score from", "to", baseline.name, candidate.name],
      rows: Array.from({ length: BINS }, (_, bin) => [
        share(edge(bin)),
        share(edge(bin + 1)),
        ...sides.map(({ counts }) => whole(counts[bin]!)),
      ]),
    },
  });
}

function binned(values: readonly number[], scale: Scale): number[] {
  const counts = Array.from({ length: BINS }, () => 0);
  for (const value of values) counts[Math.min(BINS - 1, Math.floor(scale.at(value) * BINS))]!++;
  return counts;
}
