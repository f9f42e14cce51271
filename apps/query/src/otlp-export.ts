import type { TracerProvider } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { PeriodicExportingMetricReader, type MetricReader } from "@opentelemetry/sdk-metrics";
import type { OtlpPlan, OtlpProtocol } from "./otlp-plan.js";

/** Loaded only by a process that sends to a collector. */
export interface OtlpExport {
  readonly metricReader: MetricReader | null;
  readonly tracerProvider: (TracerProvider & { shutdown(): Promise<void> }) | null;
}

export interface OtlpExportSetup {
  readonly plan: OtlpPlan;
  readonly resource: Resource;
  /** Told of the first export that fails, and of the first that fails after one that succeeded. */
  readonly onUnreachable: (why: string) => void;
}

export async function openOtlpExport({ plan, resource, onUnreachable }: OtlpExportSetup): Promise<OtlpExport> {
  let reaching = true;
  const told = <Items>(exporter: Exporter<Items>) => {
    const send = exporter.export.bind(exporter);
    exporter.export = (items, done) =>
      send(items, (result) => {
        const reached = result.error === undefined;
        if (!reached && reaching) onUnreachable(reasonOf(result.error));
        reaching = reached;
        done(result);
      });
  };

  const openMetrics = async (protocol: OtlpProtocol): Promise<MetricReader> => {
    const { OTLPMetricExporter } = await EXPORTERS[protocol]();
    const exporter = new OTLPMetricExporter();
    told(exporter);
    return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: plan.metricIntervalMs });
  };

  const openTraces = async (protocol: OtlpProtocol) => {
    const { OTLPTraceExporter } = await EXPORTERS[protocol]();
    const exporter = new OTLPTraceExporter();
    told(exporter);
    const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
    provider.register(); // brings the context manager, by which a request's span finds its call's
    return provider;
  };

  return {
    metricReader: plan.metrics === null ? null : await openMetrics(plan.metrics),
    tracerProvider: plan.traces === null ? null : await openTraces(plan.traces),
  };
}

const EXPORTERS = {
  "http/protobuf": () => import("./otlp-protobuf.js"),
  "http/json": () => import("./otlp-json.js"),
} as const;

interface Exporter<Items> {
  export(items: Items, done: (result: { readonly code: number; readonly error?: Error }) => void): void;
}

/** A code or a status, never a message: a collector's answer may hold anything. */
function reasonOf(error: Error | undefined): string {
  if (error !== undefined && "code" in error && (typeof error.code === "string" || typeof error.code === "number"))
    return String(error.code);
  return error?.name ?? "unknown";
}
