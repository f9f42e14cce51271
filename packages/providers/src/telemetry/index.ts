export {
  createEmbeddingTelemetry,
  type EmbeddingTelemetrySetup,
  type ProfileTelemetry,
} from "./embedding-telemetry.js";
export type { ShadowMetrics } from "./shadow-metrics.js";
export {
  LABEL_VALUES,
  maxSeries,
  METRICS,
  prometheusName,
  type Guard,
  type GuardOutcome,
  type MetricRow,
  type ShadowOutcome,
} from "./metric-table.js";
