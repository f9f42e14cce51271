import { createHash } from "node:crypto";
import { comparisonOddities, oddityLine } from "../evaluation/oddity-words.js";
import { likeness, serviceTable } from "./beside-quality.js";
import { differencePlot } from "./difference-plot.js";
import { latencyCurves } from "./latency-curves.js";
import { Html, html, type Content } from "./markup.js";
import { metricTable } from "./metric-table.js";
import { queryLists } from "./query-lists.js";
import { rankPlot } from "./rank-plot.js";
import type { ReportContent } from "./report-content.js";
import { scoreHistograms } from "./score-histograms.js";
import { settingsSection } from "./settings-section.js";
import { sliceForest } from "./slice-forest.js";
import { STYLE } from "./theme.js";
import { verdictSection } from "./verdict-section.js";

/**
 * Nothing is fetched, run or sent: the one style sheet is let in by its hash, everything else is refused by the browser, whatever a document's text
 * holds. There is no script.
 */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;

/** One HTML file that needs nothing else. Pure: equal content gives equal bytes. Every text in it is escaped. */
export function reportPage(content: ReportContent): string {
  const { comparison } = content;
  const { baseline, candidate, verdict, settings } = comparison;
  const forest = sliceForest(comparison);
  const lists = queryLists(content);
  const odd = comparisonOddities(comparison);
  const sections: readonly (readonly [id: string, title: string, lead: string | null, body: Html])[] = [
    [
      "metrics",
      "Metrics",
      "Each metric over all judged queries. An interval that reaches into the shaded side leaves open, or shows, that the candidate is worse than the margin allows.",
      metricTable(comparison),
    ],
    ...(forest === null
      ? []
      : [
          [
            "slices",
            `Slices by ${settings.sliceBy}`,
            "A gain on the whole must not be paid for by a part: every slice with enough queries has to hold the margin by itself.",
            forest,
          ] as const,
        ]),
    [
      "plots",
      "Query by query",
      null,
      html`<div class="plots">
        ${full(differencePlot(comparison))}${rankPlot(comparison)}
        <div class="stack">${scoreHistograms(comparison)}${latencyCurves(comparison)}</div>
      </div>`,
    ],
    ...(lists === null
      ? []
      : [
          [
            "queries",
            "The queries that changed most",
            "What both sides answered. Judged as relevant is marked.",
            lists,
          ] as const,
        ]),
    [
      "service",
      "Beside quality",
      "What an answer takes, and how much the answers differ.",
      html`${serviceTable(comparison)}${likeness(comparison)}`,
    ],
    [
      "settings",
      "Settings and hashes",
      "Equal inputs and settings give an equal verdict, to the bit.",
      html`${settingsSection(content)}${
        odd.length === 0
          ? null
          : html`<h3 id="odd">Odd about the input</h3>
              <ul class="odd">
                ${odd.map((line) => html`<li><bdi>${oddityLine(line)}</bdi></li>`)}
              </ul>`
      }`,
    ],
  ];
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${verdict.kind}: ${baseline.name} to ${candidate.name}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <nav class="top" aria-label="Sections">
          <b>Comparison of embedding profiles</b
          >${sections.map(([id, title]) => html`<a href="#${id}">${SHORT[id] ?? title}</a>`)}
        </nav>
        <main>
          ${verdictSection(content)} ${sections.map(([id, title, lead, body]) => section(id, title, lead, body))}
          <footer>Written by emb compare. This file loads nothing, runs nothing and sends nothing.</footer>
        </main>
      </body>
    </html> `;
  return page.toString();
}

/** The text of the style sheet is its own source: escaping it would change its hash and its meaning. */
const STYLE_ELEMENT = Html.of([`<style>${STYLE}</style>`], []);

/** Titles as the list of sections has them. */
const SHORT: Readonly<Record<string, string>> = { slices: "Slices", queries: "Most changed", settings: "Settings" };

const full = (plot: Content): Html => html`<div class="full">${plot}</div>`;

const section = (id: string, title: string, lead: string | null, body: Html): Html =>
  html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${lead === null ? null : html`<p class="lead">${lead}</p>`} ${body}
  </section> `;
