export {
  createEmbeddingTelemetry,
  type EmbeddingTelemetrySetup,
  type ProfileTelemetry,
} from "./embedding-telemetry.js";
export {
  LABEL_VALUES,
  maxSeries,
  METRICS,
  prometheusName,
  type Guard,
  type GuardOutcome,
  type MetricRow,
} from "./metric-table.js";
