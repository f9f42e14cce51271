import type { Comparison, SliceVerdict } from "@emb/eval";
import { intervalAxis, intervalBar, intervalScale } from "./interval.js";
import { html, type Content, type Html } from "./markup.js";
import { counted, pValue, signed } from "./number-text.js";

/** Each slice's interval below the overall one, on one axis: a table whose rows are drawn, so that it reads the same without the drawing. */
export function sliceForest({ metrics, slices, settings }: Comparison): Html | null {
  const overall = metrics?.[settings.metric];
  if (overall === undefined || slices.length === 0) return null;
  const { margin } = settings;
  const scale = intervalScale([overall, ...slices.map(({ result }) => result)], margin);
  const row = (name: Content, result: SliceVerdict["result"], more: { state: string; says: string; p: string }) =>
    html`<div role="row" class="forest-row ${more.state}">
      <div role="rowheader" class="name">${name}</div>
      <div role="cell" class="queries">${counted(result.queries, "query", "queries")}</div>
      <div role="cell" class="drawn">
        ${intervalBar(result, margin, scale)}<span class="hidden">drawn beside its numbers</span>
      </div>
      <div role="cell" class="value">
        ${signed(result.difference)} <span class="bounds">${signed(result.lower)} to ${signed(result.upper)}</span>
      </div>
      <div role="cell" class="says">${more.says}</div>
      <div role="cell" class="p">
        <abbr title="chance of such a loss were the slice within the margin, after Holm's correction over slices"
          >p</abbr
        >
        ${more.p}
      </div>
    </div>`;
  return html`<div role="table" aria-label="Slices by ${settings.sliceBy}" class="forest">
      <div role="rowgroup" class="hidden">
        <div role="row">
          <span role="columnheader">Slice</span><span role="columnheader">Queries</span
          ><span role="columnheader">Interval</span><span role="columnheader">Difference</span
          ><span role="columnheader">Verdict</span><span role="columnheader">p of being worse</span>
        </div>
      </div>
      <div role="rowgroup">
        ${row("All queries", overall, { state: "overall", says: "", p: pValue(overall.pWorse) })}${slices.map((slice) =>
          row(html`<bdi>${slice.name}</bdi>`, slice.result, {
            state: slice.kind === null ? "few" : slice.kind.toLowerCase(),
            says: slice.kind ?? "too few to decide",
            p: pValue(slice.pWorseHolm),
          }),
        )}
      </div>
    </div>
    <div class="forest-axis" aria-hidden="true">${intervalAxis(scale, margin, 5)}</div>`;
}
