import type { ComparedSide, Comparison } from "@emb/eval";
import { calibrationWords } from "../evaluation/calibration-words.js";
import { dataTable } from "./figure.js";
import { html, type Html } from "./markup.js";
import { milliseconds, share, signed, whole } from "./number-text.js";

/** Latency, errors, tokens and price of both sides. */
export const serviceTable = ({ baseline, candidate }: Comparison): Html =>
  dataTable("Latency, errors, tokens and price", {
    head: ["Profile", "p50 ms", "p95 ms", "p99 ms", "Errors", "Tokens", "USD per 1,000 queries"],
    rows: [row(baseline), row(candidate)],
  });

function row({ name, facts }: ComparedSide): string[] {
  const { latencyMs, errors, errorPct, tokens, costPer1000QueriesUsd: usd } = facts;
  return [
    name,
    milliseconds(latencyMs?.p50),
    milliseconds(latencyMs?.p95),
    milliseconds(latencyMs?.p99),
    errors === 0 ? "0" : `${whole(errors)} (${errorPct.toFixed(2)}%)`,
    tokens === null ? "–" : whole(tokens),
    usd === null ? "unknown" : usd.toFixed(4),
  ];
}

/** How alike the answers are, and where a threshold has to move. */
export function likeness(comparison: Comparison): Html {
  const { similarity, settings } = comparison;
  const calibrated = calibrationWords(comparison);
  const cards: readonly [string, string, string][] = [
    [`Overlap@${settings.k}`, share(similarity.overlap), "share of the documents that both found"],
    ["RBO", share(similarity.rbo), "the same, weighted to the top of the list"],
    ["Kendall’s tau", signed(similarity.kendallTau), "order of the documents that both found"],
    ["Score shift", signed(similarity.scores?.mean ?? null), "best score, candidate minus baseline"],
  ];
  return html`<dl class="cards">
      ${cards.map(
        ([name, value, what]) =>
          html`<div>
            <dt>${name}</dt>
            <dd><span class="card-value">${value}</span><span class="card-what">${what}</span></dd>
          </div>`,
      )}
    </dl>
    ${
      calibrated === null
        ? null
        : html`<p class="calibration">
            For a service that cuts by score:
            ${calibrated.map((part) => (typeof part === "string" ? part : html`<bdi>${part.name}</bdi>`))}.
          </p>`
    }`;
}
