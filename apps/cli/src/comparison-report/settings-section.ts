import { html, type Html } from "./markup.js";
import { whole } from "./number-text.js";
import type { ReportContent } from "./report-content.js";

/** What has to be equal for an equal verdict: settings, namespaces, hashes. */
export function settingsSection({ comparison, origin }: ReportContent): Html {
  const { settings, baseline, candidate } = comparison;
  const { limits } = settings;
  const limitWords = [
    limits.p50Ms === undefined ? null : `p50 ${limits.p50Ms} ms`,
    limits.p95Ms === undefined ? null : `p95 ${limits.p95Ms} ms`,
    limits.p99Ms === undefined ? null : `p99 ${limits.p99Ms} ms`,
    limits.p95Ratio === undefined ? null : `p95 ${limits.p95Ratio} times the baseline's`,
    limits.errorPct === undefined ? null : `errors ${limits.errorPct}%`,
    limits.costPer1000QueriesUsd === undefined ? null : `${limits.costPer1000QueriesUsd} USD per 1,000 queries`,
  ].filter((word) => word !== null);
  const rows: readonly [string, string][] = [
    ["Metric", `${settings.metric}@${settings.k}`],
    ["Margin", String(settings.margin)],
    ["Least effect", settings.minEffect === null ? "none asked for" : String(settings.minEffect)],
    ["Alpha, one-sided", String(settings.alpha)],
    [
      "Slices by",
      settings.sliceBy === null ? "none" : `${settings.sliceBy}, deciding from ${settings.minSliceQueries} queries on`,
    ],
    ["Limits", limitWords.length === 0 ? "none" : limitWords.join(", ")],
    ["Resamples, seed", `${whole(settings.rounds)}, ${settings.seed}`],
    ["Search", origin.asServed ? "as served, by the index" : "exact, every vector scanned"],
    ["Environment, base", `${origin.environment}, ${origin.base}`],
    ["Baseline", `${baseline.name}${baseline.namespace === null ? "" : `, namespace ${baseline.namespace}`}`],
    ["Candidate", `${candidate.name}${candidate.namespace === null ? "" : `, namespace ${candidate.namespace}`}`],
  ];
  const hashes: readonly [string, string][] = [
    ...(origin.baselineFingerprint === null ? [] : [["baseline fingerprint", origin.baselineFingerprint] as const]),
    ...(origin.candidateFingerprint === null ? [] : [["candidate fingerprint", origin.candidateFingerprint] as const]),
    ...Object.entries(origin.inputs),
  ].map(([name, hash]) => [name, hash]);
  return html`<dl class="settings">
      ${rows.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd><bdi>${value}</bdi></dd>
          </div>`,
      )}
    </dl>
    <h3>Hashes (SHA-256)</h3>
    <dl class="settings hashes">
      ${hashes.map(
        ([name, hash]) =>
          html`<div>
            <dt><bdi>${name}</bdi></dt>
            <dd><code>${hash}</code></dd>
          </div>`,
      )}
    </dl>`;
}
