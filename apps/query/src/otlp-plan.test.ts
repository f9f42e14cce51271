import { describe, expect, it } from "vitest";
import { planOtlp, type OtlpPlan } from "./otlp-plan.js";

const OFF: OtlpPlan = { disabled: false, metrics: null, traces: null, metricIntervalMs: 60_000, warnings: [] };
const BOTH: OtlpPlan = { ...OFF, metrics: "http/protobuf", traces: "http/protobuf" };
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

describe("what is sent to a collector", () => {
  it.each<[string, Record<string, string>, OtlpPlan]>([
    ["nothing set", {}, OFF],
    ["a blank endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, OFF],
    ["an endpoint for all", ENDPOINT, BOTH],
    [
      "an endpoint for traces",
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/v1/traces" },
      { ...BOTH, metrics: null },
    ],
    ["an exporter without an endpoint", { OTEL_METRICS_EXPORTER: "otlp" }, { ...BOTH, traces: null }],
    [
      "no traces although there is an endpoint",
      { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" },
      { ...BOTH, traces: null },
    ],
    ["metrics by Prometheus only", { ...ENDPOINT, OTEL_METRICS_EXPORTER: "prometheus" }, { ...BOTH, metrics: null }],
    ["metrics both ways", { ...ENDPOINT, OTEL_METRICS_EXPORTER: "prometheus, otlp" }, BOTH],
    [
      "JSON for one signal",
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json" },
      { ...BOTH, traces: "http/json" },
    ],
    [
      "JSON for all",
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
      { ...BOTH, metrics: "http/json", traces: "http/json" },
    ],
    ["an interval", { ...ENDPOINT, OTEL_METRIC_EXPORT_INTERVAL: "1000" }, { ...BOTH, metricIntervalMs: 1000 }],
    ["the SDK off", { ...ENDPOINT, OTEL_SDK_DISABLED: "TRUE" }, { ...OFF, disabled: true }],
    ["the SDK not off", { ...ENDPOINT, OTEL_SDK_DISABLED: "1" }, BOTH],
    [
      "a protocol that is not there",
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "grpc" },
      {
        ...BOTH,
        warnings: [
          "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: expected http/protobuf or http/json, got grpc; http/protobuf is used",
        ],
      },
    ],
    [
      "an exporter that is not there",
      { ...ENDPOINT, OTEL_TRACES_EXPORTER: "zipkin" },
      { ...BOTH, traces: null, warnings: ["OTEL_TRACES_EXPORTER: expected otlp or none, got zipkin; it is ignored"] },
    ],
    [
      "an interval of nought",
      { ...ENDPOINT, OTEL_METRIC_EXPORT_INTERVAL: "0" },
      { ...BOTH, warnings: ["OTEL_METRIC_EXPORT_INTERVAL: expected milliseconds, got 0; 60000 is used"] },
    ],
  ])("%s", (_, env, plan) => expect(planOtlp(env)).toEqual(plan));
});
