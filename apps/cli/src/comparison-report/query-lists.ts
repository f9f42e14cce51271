import type { QueryComparison } from "@emb/eval";
import { html, type Html } from "./markup.js";
import { counted, share, signed } from "./number-text.js";
import type { Excerpt, ReportContent } from "./report-content.js";
import { extremes } from "./difference-plot.js";

const SHOWN = 10;
/** Characters of a document's text. */
const TEXT_LENGTH = 180;

/** The queries that lost and won most, each with what both sides answered, side by side. */
export function queryLists({ comparison, excerpts }: ReportContent): Html | null {
  if (comparison.perQuery.length === 0) return null;
  const { worst, best } = extremes(comparison.perQuery, SHOWN);
  const names = [comparison.baseline.name, comparison.candidate.name] as const;
  const list = (title: string, id: string, queries: readonly QueryComparison[], none: string) =>
    html`<section class="query-list" aria-labelledby="${id}">
      <h3 id="${id}">${title}</h3>
      ${
        queries.length === 0
          ? html`<p class="note">${none}</p>`
          : queries.map((query, place) => queryDetails(query, { names, excerpts, open: place === 0 }))
      }
    </section>`;
  return html`${list(`Lost most (${worst.length})`, "worst", worst, "No query lost.")}${list(`Won most (${best.length})`, "best", best, "No query won.")}`;
}

interface Shown {
  readonly names: readonly [string, string];
  readonly excerpts: ReadonlyMap<string, Excerpt>;
  readonly open: boolean;
}

const queryDetails = (query: QueryComparison, { names, excerpts, open }: Shown): Html =>
  html`<details class="query" ${open ? OPEN : null}>
    <summary>
      <span class="delta ${query.difference < 0 ? "worse" : "better"}">${signed(query.difference)}</span>
      <span class="text"><bdi>${query.text}</bdi></span
      >${query.slice === null ? null : html` <span class="tag"><bdi>${query.slice}</bdi></span>`}
    </summary>
    <div class="sides">
      ${results(names[0], "baseline", query.baseline, query.baselineDocuments, query, excerpts)}${results(names[1], "candidate", query.candidate, query.candidateDocuments, query, excerpts)}
    </div>
    ${missed(query)}
  </details>`;

const OPEN = html` open`;

const results = (
  name: string,
  kind: "baseline" | "candidate",
  value: number,
  documents: QueryComparison["baselineDocuments"],
  { judgements }: QueryComparison,
  excerpts: ReadonlyMap<string, Excerpt>,
): Html =>
  html`<div class="side">
    <h4 class="${kind}"><span class="key"></span><bdi>${name}</bdi> <span class="value">${share(value)}</span></h4>
    ${
      documents.length === 0
        ? html`<p class="note">No answer.</p>`
        : html`<ol>
            ${documents.map(({ id, score }) => {
              const grade = judgements.get(id) ?? 0;
              const excerpt = excerpts.get(id);
              return html`<li class="${grade > 0 ? "relevant" : ""}">
                <p class="document">
                  <span class="id"><bdi>${id}</bdi></span
                  >${grade > 0 ? html` <span class="tag good">relevant${grade === 1 ? "" : `, grade ${grade}`}</span>` : null}
                  <span class="score">${score.toFixed(3)}</span>
                </p>
                ${excerpt === undefined ? null : excerptText(excerpt)}
              </li>`;
            })}
          </ol>`
    }
  </div>`;

const excerptText = ({ heading, text }: Excerpt): Html =>
  html`<p class="excerpt">
    ${heading === "" ? null : html`<b><bdi>${heading}</bdi></b> `}<bdi>${shorten(text)}</bdi>
  </p>`;

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= TEXT_LENGTH ? line : `${line.slice(0, TEXT_LENGTH).trimEnd()}…`;
}

/** Relevant documents that neither side found. */
function missed({ judgements, baselineDocuments, candidateDocuments }: QueryComparison): Html | null {
  const found = new Set([...baselineDocuments, ...candidateDocuments].map(({ id }) => id));
  const ids = [...judgements].filter(([id, grade]) => grade > 0 && !found.has(id)).map(([id]) => id);
  return ids.length === 0
    ? null
    : html`<p class="note">
        Found by neither: ${counted(ids.length, "relevant document", "relevant documents")}
        (<bdi>${ids.slice(0, 5).join(", ")}</bdi>${ids.length > 5 ? ", …" : ""}).
      </p>`;
}
