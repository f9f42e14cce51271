import { resolve } from "node:path";
import type { EnvironmentFile } from "./environment-file.js";
import type { Settings } from "./settings.js";

/** Queries that a query service recorded, all or N of them; a folder of that name is `./shadow`. */
const RECORDED = /^shadow(:|$)/;

/** The rollout section as settings. @param project where a relative path of the queries starts */
export const camelRollout = (
  {
    shadow,
    shadow_reads,
    canary,
    queries,
    min_effect,
    slice,
    min_slice_queries,
    limits,
    ...same
  }: EnvironmentFile["rollout"],
  project: string,
): Settings["rollout"] => ({
  ...same,
  queries: queries === undefined ? null : RECORDED.test(queries) ? queries : resolve(project, queries),
  minEffect: min_effect ?? null,
  slice: slice ?? null,
  minSliceQueries: min_slice_queries,
  limits: {
    maxP50Ms: limits.max_p50_ms ?? null,
    maxP95Ms: limits.max_p95_ms ?? null,
    maxP99Ms: limits.max_p99_ms ?? null,
    maxP95Ratio: limits.max_p95_ratio ?? null,
    maxErrorPct: limits.max_error_pct ?? null,
    maxUsdPer1000: limits.max_usd_per_1000 ?? null,
  },
  shadow:
    shadow === undefined
      ? null
      : {
          profile: shadow.profile,
          samplePct: shadow.sample_pct,
          maxInFlight: shadow.max_in_flight,
          timeoutMs: shadow.timeout_ms,
        },
  shadowReads: { keep: shadow_reads.keep, keepDays: shadow_reads.keep_days },
  canary:
    canary === undefined
      ? null
      : {
          profile: canary.profile,
          pct: canary.pct,
          maxErrorPct: canary.max_error_pct,
          maxLatencyRatio: canary.max_latency_ratio,
          minOverlap: canary.min_overlap,
        },
});
