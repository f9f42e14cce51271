import type { PairedResult } from "@emb/eval";
import { html, type Html } from "./markup.js";
import { percent, scaleAround, ticks, decimalsOf, type Scale } from "./scale.js";
import { signed } from "./number-text.js";

type Interval = Pick<PairedResult, "lower" | "upper" | "difference">;

/** One axis for all intervals that stand below one another, with zero and minus the margin on it. */
export const intervalScale = (intervals: readonly Interval[], margin: number): Scale =>
  scaleAround([0, -margin, ...intervals.flatMap(({ lower, upper, difference }) => [lower, upper, difference])]);

/** Which side of the margin an interval is on. */
const sideOf = ({ lower, upper }: Interval, margin: number): "clear" | "below" | "open" =>
  lower > -margin ? "clear" : upper < -margin ? "below" : "open";

/** An interval as a bar with its middle, over zero and minus the margin. Says nothing to a screen reader: the numbers stand beside it. */
export function intervalBar(interval: Interval, margin: number, scale: Scale, size: "row" | "large" = "row"): Html {
  const { lower, upper, difference } = interval;
  const x = (value: number) => percent(scale.at(value));
  const width = percent(scale.at(upper) - scale.at(lower));
  const [height, bar, dot] = size === "row" ? [24, 6, 5] : [56, 12, 9];
  const middle = height / 2;
  return html`<svg class="interval ${size}" width="100%" height="${height}" aria-hidden="true" focusable="false">
    <rect class="outside" x="0" y="0" width="${x(-margin)}" height="${height}" />
    <line class="zero" x1="${x(0)}" x2="${x(0)}" y1="0" y2="${height}" />
    <line class="margin" x1="${x(-margin)}" x2="${x(-margin)}" y1="0" y2="${height}" />
    <rect
      class="bar ${sideOf(interval, margin)}"
      x="${x(lower)}"
      y="${middle - bar / 2}"
      width="${width}"
      height="${bar}"
      rx="${bar / 2}"
    />
    <circle class="dot ${sideOf(interval, margin)}" cx="${x(difference)}" cy="${middle}" r="${dot}" />
  </svg>`;
}

/** Its axis, with minus the margin named. */
export function intervalAxis(scale: Scale, margin: number, wanted = 4): Html {
  const values = ticks(scale, wanted);
  const decimals = decimalsOf(values);
  const away = (value: number) => Math.abs(scale.at(value) - scale.at(-margin)) > 0.09;
  const shown = margin === 0 ? values : values.filter(away);
  return html`<svg class="axis" width="100%" height="20" aria-hidden="true" focusable="false">
    ${shown.map(
      (value) =>
        html`<text class="tick" x="${percent(scale.at(value))}" y="15" text-anchor="${anchor(scale.at(value))}"
          >${signed(value, decimals)}</text
        >`,
    )}${margin === 0 ? null : html`<text class="tick margin-label" x="${percent(scale.at(-margin))}" y="15" text-anchor="${anchor(scale.at(-margin))}">${signed(-margin, Math.max(2, decimalsOf([0, margin])))}</text>`}
  </svg>`;
}

/** Words near an end of an axis stay within it. */
export const anchor = (part: number): "start" | "middle" | "end" =>
  part < 0.06 ? "start" : part > 0.94 ? "end" : "middle";
