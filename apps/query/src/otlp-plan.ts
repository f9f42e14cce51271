import type { Environment } from "@emb/config";

export type OtlpProtocol = "http/protobuf" | "http/json";

/** What is sent to an OpenTelemetry collector, and how. The exporters read the rest (endpoint, headers, timeout, compression, certificates) themselves. */
export interface OtlpPlan {
  /** OTEL_SDK_DISABLED: nothing is measured at all. */
  readonly disabled: boolean;
  readonly metrics: OtlpProtocol | null;
  readonly traces: OtlpProtocol | null;
  /** OTEL_METRIC_EXPORT_INTERVAL. */
  readonly metricIntervalMs: number;
  /** Variables whose value is not understood, and what happens instead. */
  readonly warnings: readonly string[];
}

/** Source: OpenTelemetry specification, metrics SDK environment variables, read November 2026. */
const DEFAULT_METRIC_INTERVAL_MS = 60_000;

/**
 * Reads the standard OTEL_* variables. A signal is sent when an endpoint is set for it or for all, or when its exporter is named `otlp`; never
 * when its exporter is `none`. A value that is not understood is ignored with a warning, as the specification asks.
 */
export function planOtlp(env: Environment): OtlpPlan {
  const read = (name: string) => env[name]?.trim() || undefined;
  const warnings: string[] = [];

  const protocol = (signal: "METRICS" | "TRACES"): OtlpProtocol => {
    const [name, value] = [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, "OTEL_EXPORTER_OTLP_PROTOCOL"]
      .map((variable) => [variable, read(variable)] as const)
      .find(([, set]) => set !== undefined) ?? ["", "http/protobuf"];
    if (value === "http/json" || value === "http/protobuf") return value;
    warnings.push(`${name}: expected http/protobuf or http/json, got ${value}; http/protobuf is used`);
    return "http/protobuf";
  };

  const signalProtocol = (signal: "METRICS" | "TRACES"): OtlpProtocol | null => {
    const name = `OTEL_${signal}_EXPORTER`;
    const exporters = read(name)
      ?.split(",")
      .map((exporter) => exporter.trim());
    const unknown = exporters?.filter((exporter) => !["otlp", "none", "prometheus"].includes(exporter)) ?? [];
    if (unknown.length > 0) warnings.push(`${name}: expected otlp or none, got ${unknown.join(", ")}; it is ignored`);
    const endpoint = read("OTEL_EXPORTER_OTLP_ENDPOINT") ?? read(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
    const wanted = exporters === undefined ? endpoint !== undefined : exporters.includes("otlp");
    return wanted ? protocol(signal) : null;
  };

  const intervalMs = (): number => {
    const value = read("OTEL_METRIC_EXPORT_INTERVAL");
    if (value === undefined) return DEFAULT_METRIC_INTERVAL_MS;
    if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
    warnings.push(
      `OTEL_METRIC_EXPORT_INTERVAL: expected milliseconds, got ${value}; ${DEFAULT_METRIC_INTERVAL_MS} is used`,
    );
    return DEFAULT_METRIC_INTERVAL_MS;
  };

  const disabled = read("OTEL_SDK_DISABLED")?.toLowerCase() === "true";
  if (disabled)
    return { disabled, metrics: null, traces: null, metricIntervalMs: DEFAULT_METRIC_INTERVAL_MS, warnings };
  const [metrics, traces] = [signalProtocol("METRICS"), signalProtocol("TRACES")];
  return { disabled, metrics, traces, metricIntervalMs: intervalMs(), warnings };
}
