import type { Attributes, Meter } from "@opentelemetry/api";
import { DataPointType, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";

class OnDemandReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** A meter of the real SDK, and the reader of what it measured. */
export function createReadMeter(): { meter: Meter; reader: MetricReader } {
  const reader = new OnDemandReader();
  return { meter: new MeterProvider({ readers: [reader] }).getMeter("test"), reader };
}

export interface ReadPoint {
  readonly attributes: Attributes;
  readonly value: unknown;
}

/** What a reader sees now: points by metric name; of a histogram its count, sum and boundaries. */
export async function collected(reader: MetricReader): Promise<ReadonlyMap<string, readonly ReadPoint[]>> {
  const { resourceMetrics } = await reader.collect();
  const points = resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
    metrics.map((metric): [string, ReadPoint[]] => [
      metric.descriptor.name,
      metric.dataPointType === DataPointType.HISTOGRAM
        ? metric.dataPoints.map(({ attributes, value: { count, sum, buckets } }) => ({
            attributes,
            value: { count, sum, boundaries: buckets.boundaries },
          }))
        : metric.dataPoints.map(({ attributes, value }) => ({ attributes, value })),
    ]),
  );
  return new Map(points);
}
