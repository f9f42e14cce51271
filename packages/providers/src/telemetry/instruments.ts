import type { Histogram, Meter, ObservableCounter, ObservableGauge } from "@opentelemetry/api";
import { METRICS, type MetricRow } from "./metric-table.js";

type Instrument<K> = K extends "counter" ? ObservableCounter : K extends "histogram" ? Histogram : ObservableGauge;
export type Instruments = { readonly [M in keyof typeof METRICS]: Instrument<(typeof METRICS)[M]["kind"]> };

/** The instruments of the table. Made once for each meter. */
export function createInstruments(meter: Meter): Instruments {
  const options = ({ unit, meaning, buckets }: MetricRow) => ({
    unit,
    description: meaning,
    ...(buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } }),
  });
  const counter = (row: MetricRow) => meter.createObservableCounter(row.name, options(row));
  const histogram = (row: MetricRow) => meter.createHistogram(row.name, options(row));
  const gauge = (row: MetricRow) => meter.createObservableGauge(row.name, options(row));
  return {
    info: gauge(METRICS.info),
    calls: counter(METRICS.calls),
    texts: counter(METRICS.texts),
    tokens: counter(METRICS.tokens),
    requests: counter(METRICS.requests),
    requestDuration: histogram(METRICS.requestDuration),
    retries: counter(METRICS.retries),
    splits: counter(METRICS.splits),
    rateLimited: counter(METRICS.rateLimited),
    breaker: gauge(METRICS.breaker),
    concurrency: gauge(METRICS.concurrency),
    guard: counter(METRICS.guard),
    changesQueued: gauge(METRICS.changesQueued),
    changesAge: gauge(METRICS.changesAge),
    changesSetAside: gauge(METRICS.changesSetAside),
    shadowOn: gauge(METRICS.shadowOn),
    shadowReads: counter(METRICS.shadowReads),
    shadowDuration: histogram(METRICS.shadowDuration),
    shadowOverlap: histogram(METRICS.shadowOverlap),
    operationDuration: histogram(METRICS.operationDuration),
    tokenUsage: histogram(METRICS.tokenUsage),
    storeDuration: histogram(METRICS.storeDuration),
  };
}
