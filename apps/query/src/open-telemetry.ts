import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createNoopMeter } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { createEmbeddingTelemetry } from "@emb/providers/telemetry";
import { planOtlp } from "./otlp-plan.js";
import type { Telemetry, TelemetrySetup } from "./telemetry.js";

/** The last metrics and spans of a process have this long to reach the collector. */
const FLUSH_MS = 3000;

/** The OpenTelemetry SDK put together. Loaded by `startTelemetry` only. */
export async function openTelemetry({ env, serviceName, environment, log }: TelemetrySetup): Promise<Telemetry> {
  const plan = planOtlp(env);
  for (const message of plan.warnings) log.warn({ event: "telemetry.setting", code: "EMB_ENV_INVALID", message });
  const clocks = { nowMs: () => performance.now(), epochMs: () => performance.timeOrigin + performance.now() };
  if (plan.disabled)
    return {
      profile: createEmbeddingTelemetry({ meter: createNoopMeter(), tracer: null, environment, ...clocks }),
      metricsText: async () => "# telemetry is off: OTEL_SDK_DISABLED\n",
      close: async () => {},
    };

  const resource = resourceFromAttributes({
    "service.name": serviceName,
    "service.instance.id": randomUUID(),
    "deployment.environment.name": environment,
  }).merge(detectResources({ detectors: [envDetector] }));
  const onUnreachable = (why: string) =>
    log.warn({
      event: "telemetry.unreachable",
      message: `metrics and traces do not reach the OTLP endpoint (${why}); emb goes on without, and says so once`,
    });
  const otlp =
    plan.metrics === null && plan.traces === null
      ? null
      : await (await import("./otlp-export.js")).openOtlpExport({ plan, resource, onUnreachable });
  const prometheus = new PrometheusExporter({ preventServerStart: true });
  const readers = [prometheus, ...(otlp?.metricReader ? [otlp.metricReader] : [])];
  const meters = new MeterProvider({ resource, readers });
  const text = new PrometheusSerializer(undefined, false, undefined, false, true);
  return {
    profile: createEmbeddingTelemetry({
      meter: meters.getMeter("emb"),
      tracer: otlp?.tracerProvider?.getTracer("emb") ?? null,
      environment,
      ...clocks,
    }),
    async metricsText() {
      const { resourceMetrics } = await prometheus.collect();
      return `${text.serialize(resourceMetrics).trimEnd()}\n`;
    },
    async close() {
      const flushed = Promise.allSettled([meters.shutdown(), otlp?.tracerProvider?.shutdown()]);
      await Promise.race([flushed, sleep(FLUSH_MS, undefined, { ref: false })]);
    },
  };
}
