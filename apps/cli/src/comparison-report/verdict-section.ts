import type { PairedResult } from "@emb/eval";
import { intervalAxis, intervalBar, intervalScale } from "./interval.js";
import { html, type Html } from "./markup.js";
import { counted, signed, whole } from "./number-text.js";
import type { ReportContent } from "./report-content.js";
import { metricLabel, nextStep, shownReasons, verdictSentence } from "./verdict-words.js";

const CLASS = { GO: "go", "NO-GO": "no-go", INCONCLUSIVE: "open" } as const;

/** The verdict on top, in words, with the one interval that decides it. */
export function verdictSection({ comparison, origin }: ReportContent): Html {
  const { verdict, warnings, settings, metrics, queries, judgedQueries } = comparison;
  const sentence = verdictSentence(comparison).map((part) =>
    typeof part === "string" ? part : html`<bdi>${part.name}</bdi>`,
  );
  const decisive = metrics?.[settings.metric] ?? null;
  const next = nextStep(comparison);
  return html`<header class="verdict ${CLASS[verdict.kind]}">
    <p class="kicker">
      Verdict ${origin.verdictId} <span aria-hidden="true">·</span> <bdi>${origin.environment}</bdi>
      <span aria-hidden="true">·</span>
      <time datetime="${origin.at}">${origin.at.slice(0, 16).replace("T", " ")} UTC</time>
    </p>
    <h1><span class="stamp">${verdict.kind}</span> <span class="sentence">${sentence}</span></h1>
    ${next === null ? null : html`<p class="next">${next}</p>`}
    ${warnings.map(({ text }) => html`<p class="warning"><b>Warning.</b> ${text}.</p>`)}
    ${decisive === null ? null : headline(decisive, comparison.settings)}
    <p class="counts">
      ${counted(queries, "query", "queries")}, ${whole(judgedQueries)} of them
      judged${decisive === null ? "" : `, in ${counted(decisive.clusters, "independent group", "independent groups")}`}.
    </p>
    <ul class="reasons">
      ${shownReasons(comparison).map(
        ({ state, text }) =>
          html`<li class="${state}">
            <span class="mark" aria-hidden="true"></span
            ><span><span class="hidden">${state}: </span><bdi>${text}</bdi></span>
          </li>`,
      )}
    </ul>
  </header>`;
}

function headline(decisive: PairedResult, { metric, k, margin, alpha }: ReportContent["comparison"]["settings"]): Html {
  const scale = intervalScale([decisive], margin);
  const { baseline, candidate, difference, lower, upper } = decisive;
  return html`<div class="headline">
    <p class="figure-number">
      <span class="label">${metricLabel(metric, k)}</span><span class="big">${signed(difference)}</span
      ><span class="from-to"
        >${baseline.toFixed(4)} <span aria-hidden="true">→</span
        ><span class="hidden">to</span> ${candidate.toFixed(4)}</span
      >
    </p>
    <div class="headline-interval">
      ${intervalBar(decisive, margin, scale, "large")}${intervalAxis(scale, margin, 5)}
      <p class="explain">
        Between <b>${signed(lower)}</b> and <b>${signed(upper)}</b> (one-sided chance of error ${alpha} at each end).
        The shaded side is worse than the margin of ${margin} allows.
      </p>
    </div>
  </div>`;
}
