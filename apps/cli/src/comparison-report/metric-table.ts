import { METRIC_NAMES, type Comparison } from "@emb/eval";
import { intervalAxis, intervalBar, intervalScale } from "./interval.js";
import { html, type Html } from "./markup.js";
import { pValue, share, signed, whole } from "./number-text.js";
import { metricLabel } from "./verdict-words.js";

/** Every metric on both sides, with its interval; the one that decides is marked. */
export function metricTable({ metrics, settings }: Comparison): Html {
  if (metrics === null)
    return html`<p class="note">
      Without judgements there is no metric: only how much the answers differ can be said.
    </p>`;
  const { margin, k, alpha } = settings;
  const scale = intervalScale(Object.values(metrics), margin);
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table: metrics">
    <table class="metrics">
      <caption class="hidden">
        Metrics of baseline and candidate, with one-sided bounds at ${alpha}
      </caption>
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col">Difference</th>
          <th scope="col" class="wide">${intervalAxis(scale, margin)}<span class="hidden">Interval, drawn</span></th>
          <th scope="col">Bounds</th>
          <th scope="col">Baseline</th>
          <th scope="col">Candidate</th>
          <th scope="col"><abbr title="of the paired randomisation test, two-sided">p</abbr></th>
          <th scope="col">Better, equal, worse</th>
        </tr>
      </thead>
      <tbody>
        ${METRIC_NAMES.map((name) => {
          const result = metrics[name];
          const decides = name === settings.metric;
          return html`<tr class="${decides ? "decides" : ""}">
            <th scope="row">${metricLabel(name, k)}${decides ? html` <span class="tag">decides</span>` : null}</th>
            <td>${signed(result.difference)}</td>
            <td class="wide">${intervalBar(result, margin, scale)}</td>
            <td class="bounds">${signed(result.lower)} to ${signed(result.upper)}</td>
            <td>${share(result.baseline)}</td>
            <td>${share(result.candidate)}</td>
            <td>${pValue(result.pValue)}</td>
            <td>${whole(result.wins)}, ${whole(result.ties)}, ${whole(result.losses)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}
