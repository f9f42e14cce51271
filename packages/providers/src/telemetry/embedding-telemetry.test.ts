import { context, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERROR_CODES, EmbError, type ErrorCode } from "@emb/manifest";
import { guardCalls } from "../call-guard.js";
import { profileOf } from "../profile.test-data.js";
import type { EmbeddingProvider } from "../provider.js";
import type { Outcome, ProviderEvent } from "../provider-events.js";
import type { TelemetryContext } from "../telemetry-labels.js";
import { createEmbeddingTelemetry, type ProfileTelemetry } from "./embedding-telemetry.js";
import { collected, createReadMeter } from "./read-meter.test-data.js";
import { LABEL_VALUES, maxSeries, METRICS, OUTCOMES, type MetricRow } from "./metric-table.js";

const profile = profileOf({ dims: 2 });
const rollout: TelemetryContext = {
  profile,
  namespace: "docs_st_minilm",
  namespaceMode: "profile",
  strictMode: true,
  swappable: false,
  experiment: null,
};
const NINE = {
  embedding_profile: "st_minilm",
  embedding_provider: "sentence-transformers",
  embedding_model: "sentence-transformers/all-MiniLM-L6-v2",
  embedding_dims: 2,
  embedding_namespace: "docs_st_minilm",
  embedding_namespace_mode: "profile",
  embedding_strict_mode: true,
  embedding_profile_swappable: false,
  embedding_profile_experiment: "",
};

const open = () => {
  const { meter, reader } = createReadMeter();
  let clockMs = 0;
  const nowMs = () => (clockMs += 20);
  const openProfile = createEmbeddingTelemetry({
    meter,
    tracer: null,
    environment: "production",
    nowMs,
    epochMs: nowMs,
  });
  return { telemetry: openProfile(rollout), reader, openProfile };
};

const call = (change: Partial<ProviderEvent & { kind: "call" }> = {}): ProviderEvent => ({
  kind: "call",
  operation: "dense",
  side: "document",
  outcome: "ok",
  texts: 96,
  tokens: 9600,
  durationMs: 250,
  ...change,
});
const request = (change: Partial<ProviderEvent & { kind: "request" }> = {}): ProviderEvent => ({
  kind: "request",
  operation: "dense",
  side: "document",
  outcome: "ok",
  status: 200,
  texts: 96,
  tokens: 9600,
  durationMs: 240,
  serverAddress: "embed.internal",
  serverPort: 443,
  responseModel: "m",
  ...change,
});

describe("metrics of a profile", () => {
  it("say what runs and under which rule, until closed by everyone who opened it", async () => {
    const { telemetry, reader, openProfile } = open();
    const info = async () => (await collected(reader)).get(METRICS.info.name);
    const row = (value: number) => [{ attributes: { ...NINE, environment: "production" }, value }];
    expect(await info()).toEqual(row(1));
    const again = openProfile(rollout);
    telemetry.observer({ kind: "breaker", state: "open" });
    telemetry.observer({ kind: "concurrency", limit: 16 });
    telemetry.close();
    expect(await info()).toEqual(row(1));
    again.close();
    expect(await info()).toEqual(row(0));
    const seen = await collected(reader);
    expect(seen.get(METRICS.breaker.name)?.map(({ value }) => value)).toEqual([1, 0, 0]);
    expect(seen.get(METRICS.concurrency.name)?.map(({ value }) => value)).toEqual([0]);
  });

  it("count calls, texts and tokens, and how long calls took", async () => {
    const { telemetry, reader } = open();
    telemetry.observer(call());
    telemetry.observer(call({ texts: 4, tokens: null, durationMs: 50 }));
    telemetry.observer(call({ texts: 1, tokens: null, outcome: "EMB_PROVIDER_UNAVAILABLE", side: "query" }));
    const seen = await collected(reader);
    const ok = { ...NINE, operation: "dense", side: "document", outcome: "ok" };
    const failed = { ...NINE, operation: "dense", side: "query", outcome: "EMB_PROVIDER_UNAVAILABLE" };
    expect(seen.get(METRICS.calls.name)).toEqual([
      { attributes: ok, value: 2 },
      { attributes: failed, value: 1 },
    ]);
    expect(seen.get(METRICS.texts.name)).toEqual([
      { attributes: ok, value: 100 },
      { attributes: failed, value: 1 },
    ]);
    expect(seen.get(METRICS.tokens.name)).toEqual([
      { attributes: { ...NINE, operation: "dense", side: "document" }, value: 9600 },
    ]);
    const genAi = {
      ...NINE,
      "gen_ai.operation.name": "embeddings",
      "gen_ai.provider.name": "sentence-transformers",
      "gen_ai.request.model": "sentence-transformers/all-MiniLM-L6-v2",
    };
    expect(seen.get(METRICS.operationDuration.name)).toEqual([
      { attributes: genAi, value: { count: 2, sum: 0.3, boundaries: METRICS.operationDuration.buckets } },
      {
        attributes: { ...genAi, "error.type": "EMB_PROVIDER_UNAVAILABLE" },
        value: { count: 1, sum: 0.25, boundaries: METRICS.operationDuration.buckets },
      },
    ]);
    expect(seen.get(METRICS.tokenUsage.name)).toEqual([
      {
        attributes: { ...genAi, "gen_ai.token.type": "input" },
        value: { count: 1, sum: 9600, boundaries: METRICS.tokenUsage.buckets },
      },
    ]);
  });

  it("count requests, retries, splits and 429s, and show breaker and concurrency as they are now", async () => {
    const { telemetry, reader } = open();
    const before = await collected(reader);
    expect([before.get(METRICS.breaker.name), before.get(METRICS.concurrency.name)]).toEqual([undefined, undefined]);
    telemetry.observer(request());
    telemetry.observer({ kind: "retry", reason: "rate_limited", delayMs: 10 });
    telemetry.observer({ kind: "split", texts: 96 });
    telemetry.observer({ kind: "rate_limited", retryAfterMs: null });
    telemetry.observer({ kind: "breaker", state: "open" });
    telemetry.observer({ kind: "breaker", state: "half_open" });
    telemetry.observer({ kind: "concurrency", limit: 16 });
    telemetry.observer({ kind: "concurrency", limit: 8 });
    const seen = await collected(reader);
    const ended = { ...NINE, operation: "dense", side: "document", outcome: "ok" };
    expect(seen.get(METRICS.requests.name)).toEqual([{ attributes: ended, value: 1 }]);
    expect(seen.get(METRICS.requestDuration.name)).toEqual([
      { attributes: ended, value: { count: 1, sum: 0.24, boundaries: METRICS.requestDuration.buckets } },
    ]);
    expect(seen.get(METRICS.retries.name)).toEqual([{ attributes: { ...NINE, reason: "rate_limited" }, value: 1 }]);
    expect(seen.get(METRICS.splits.name)).toEqual([{ attributes: NINE, value: 1 }]);
    expect(seen.get(METRICS.rateLimited.name)).toEqual([{ attributes: NINE, value: 1 }]);
    expect(seen.get(METRICS.concurrency.name)).toEqual([{ attributes: NINE, value: 8 }]);
    expect(seen.get(METRICS.breaker.name)?.map(({ attributes, value }) => [attributes["state"], value])).toEqual([
      ["closed", 0],
      ["half_open", 1],
      ["open", 0],
    ]);
  });

  it("count guard events from 0 on", async () => {
    const { telemetry, reader } = open();
    telemetry.guard("seal", "warned");
    telemetry.guard("seal", "warned");
    const rows = (await collected(reader)).get(METRICS.guard.name) ?? [];
    expect(rows.map(({ attributes, value }) => [attributes["guard"], attributes["outcome"], value])).toEqual([
      ["gate", "blocked", 0],
      ["gate", "warned", 0],
      ["gate", "clean", 0],
      ["seal", "blocked", 0],
      ["seal", "warned", 2],
      ["seal", "clean", 0],
    ]);
  });

  it("count shadow reads from 0 on once a candidate is to be asked, with how alike and how late its answers are", async () => {
    const { telemetry, reader } = open();
    expect((await collected(reader)).get(METRICS.shadowReads.name)).toBeUndefined();
    telemetry.shadow.on(true);
    telemetry.shadow.ended({ outcome: "recorded", durationMs: 40, overlap: 0.75 });
    telemetry.shadow.ended({ outcome: "timeout", durationMs: 500, overlap: null });
    telemetry.shadow.ended({ outcome: "dropped", durationMs: null, overlap: null });
    telemetry.shadow.ended({ outcome: "dropped", durationMs: null, overlap: null });
    const seen = await collected(reader);
    expect(seen.get(METRICS.shadowReads.name)).toEqual([
      { attributes: { ...NINE, outcome: "recorded" }, value: 1 },
      { attributes: { ...NINE, outcome: "dropped" }, value: 2 },
      { attributes: { ...NINE, outcome: "failed" }, value: 0 },
      { attributes: { ...NINE, outcome: "timeout" }, value: 1 },
    ]);
    expect(seen.get(METRICS.shadowDuration.name)).toEqual([
      { attributes: NINE, value: { count: 2, sum: 0.54, boundaries: METRICS.shadowDuration.buckets } },
    ]);
    expect(seen.get(METRICS.shadowOverlap.name)).toEqual([
      { attributes: NINE, value: { count: 1, sum: 0.75, boundaries: METRICS.shadowOverlap.buckets } },
    ]);
    expect(seen.get(METRICS.shadowOn.name)).toEqual([{ attributes: NINE, value: 1 }]);
    telemetry.shadow.on(false);
    expect((await collected(reader)).get(METRICS.shadowOn.name)).toEqual([{ attributes: NINE, value: 0 }]);
  });

  it("time the store, and pass on what it answers or throws", async () => {
    const { telemetry, reader } = open();
    expect(await telemetry.storeSearch(async () => "hits")).toBe("hits");
    const gone = new Error("relation docs does not exist");
    await expect(telemetry.storeSearch(() => Promise.reject(gone))).rejects.toBe(gone);
    const store = { ...NINE, "db.system.name": "postgresql", "db.operation.name": "search" };
    const value = { count: 1, sum: 0.02, boundaries: METRICS.storeDuration.buckets };
    expect((await collected(reader)).get(METRICS.storeDuration.name)).toEqual([
      { attributes: store, value },
      { attributes: { ...store, "error.type": "EMB_INTERNAL" }, value },
    ]);
  });

  it("have the labels and no more series than the table says, whatever happens", async () => {
    const { telemetry, reader } = open();
    const codes = Object.keys(ERROR_CODES).filter((code): code is ErrorCode => code in ERROR_CODES);
    const outcomes: Outcome[] = ["ok", "aborted", ...codes];
    for (const operation of LABEL_VALUES.operation)
      for (const side of LABEL_VALUES.side)
        for (const outcome of outcomes) {
          telemetry.observer(call({ operation, side, outcome }));
          telemetry.observer(
            request({ operation, side, outcome, responseModel: `${Math.random()}`, serverAddress: `${outcome}.host` }),
          );
        }
    for (const reason of LABEL_VALUES.reason) telemetry.observer({ kind: "retry", reason, delayMs: 1 });
    telemetry.observer({ kind: "split", texts: 2 });
    telemetry.observer({ kind: "rate_limited", retryAfterMs: 17 });
    telemetry.observer({ kind: "breaker", state: "open" });
    telemetry.observer({ kind: "concurrency", limit: 3 });
    telemetry.changes({ queued: 9, oldestAgeMs: 9_000, setAside: 9 });
    telemetry.changes({ queued: 4, oldestAgeMs: 2_500, setAside: 1 });
    telemetry.shadow.on(true);
    for (const outcome of LABEL_VALUES.shadow_outcome) telemetry.shadow.ended({ outcome, durationMs: 1, overlap: 1 });
    for (const code of codes)
      await telemetry.storeSearch(() => Promise.reject(new EmbError(code, "x", { hint: "x" }))).catch(() => {});
    await telemetry.storeSearch(async () => {});

    const seen = await collected(reader);
    expect([...seen.keys()].toSorted()).toEqual(
      Object.values(METRICS)
        .map(({ name }) => name)
        .toSorted(),
    );
    for (const row of Object.values<MetricRow>(METRICS)) {
      const points = seen.get(row.name) ?? [];
      const labels = new Set(points.flatMap(({ attributes }) => Object.keys(attributes)));
      expect([...labels].toSorted(), row.name).toEqual([...Object.keys(NINE), ...Object.keys(row.labels)].toSorted());
      expect(points.length, row.name).toBeLessThanOrEqual(maxSeries(row));
    }
    const lag = [METRICS.changesQueued, METRICS.changesAge, METRICS.changesSetAside];
    expect(lag.map(({ name }) => seen.get(name)?.map(({ value }) => value))).toEqual([[4], [2.5], [1]]);
    expect(seen.get(METRICS.requests.name)).toHaveLength(3 * 2 * OUTCOMES.length);
    expect(Object.values<MetricRow>(METRICS).reduce((sum, row) => sum + maxSeries(row), 0)).toBeLessThan(500);
  });
});

describe("spans of a profile", () => {
  beforeAll(() => new NodeTracerProvider().register()); // brings the context manager, which is one for the process
  afterAll(() => context.disable());

  const trace = async (work: (provider: EmbeddingProvider, telemetry: ProfileTelemetry) => Promise<unknown>) => {
    const exporter = new InMemorySpanExporter();
    const tracer = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer("test");
    let clockMs = 1_800_000_000_000;
    const setup = { meter: createReadMeter().meter, tracer, environment: "test", nowMs: () => 0 };
    const telemetry = createEmbeddingTelemetry({ ...setup, epochMs: () => (clockMs += 1000) })(rollout);
    const embed = async (texts: readonly string[]) => {
      await Promise.resolve();
      if (texts[0] === "refuse") {
        telemetry.observer(
          request({ outcome: "EMB_PROVIDER_REJECTED", status: 400, tokens: null, responseModel: null }),
        );
        throw new EmbError("EMB_PROVIDER_REJECTED", "no: refuse", { hint: "-" });
      }
      telemetry.observer(request({ texts: texts.length, tokens: 7, durationMs: 500 }));
      return { dense: new Float32Array([1, 0]), count: 1, dims: 2, tokens: 7 };
    };
    const plain: EmbeddingProvider = { profile, embedDocuments: embed, embedQueries: embed, close: async () => {} };
    await work(telemetry.traced(guardCalls(plain, { checked: true, observer: telemetry.observer })), telemetry);
    return exporter.getFinishedSpans();
  };
  const options = { signal: new AbortController().signal };

  it("are one for each call with its requests as children, also when calls overlap", async () => {
    const spans = await trace((provider) =>
      Promise.all([provider.embedQueries(["a"], options), provider.embedDocuments(["b"], options)]),
    );
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ["embeddings sentence-transformers/all-MiniLM-L6-v2 request", SpanKind.CLIENT],
      ["embeddings sentence-transformers/all-MiniLM-L6-v2 request", SpanKind.CLIENT],
      ["embeddings sentence-transformers/all-MiniLM-L6-v2", SpanKind.CLIENT],
      ["embeddings sentence-transformers/all-MiniLM-L6-v2", SpanKind.CLIENT],
    ]);
    const [queryRequest, documentRequest, query, document] = spans;
    expect(queryRequest?.parentSpanContext?.spanId).toBe(query?.spanContext().spanId);
    expect(documentRequest?.parentSpanContext?.spanId).toBe(document?.spanContext().spanId);
    expect(query?.parentSpanContext).toBeUndefined();
    const shared = {
      ...NINE,
      "gen_ai.operation.name": "embeddings",
      "gen_ai.provider.name": "sentence-transformers",
      "gen_ai.request.model": "sentence-transformers/all-MiniLM-L6-v2",
      "gen_ai.embeddings.dimension.count": 2,
      "gen_ai.usage.input_tokens": 7,
      embedding_operation: "dense",
      embedding_texts: 1,
    };
    expect(query?.attributes).toEqual({ ...shared, embedding_side: "query" });
    expect(queryRequest?.duration).toEqual([0, 500_000_000]);
    expect(documentRequest?.attributes).toEqual({
      ...shared,
      embedding_side: "document",
      "gen_ai.response.model": "m",
      "server.address": "embed.internal",
      "server.port": 443,
      "http.response.status_code": 200,
    });
  });

  it("of a call that fails carry its code and never its message", async () => {
    const spans = await trace((provider) => provider.embedQueries(["refuse"], options).catch(() => {}));
    expect(spans.map(({ attributes }) => attributes["error.type"])).toEqual([
      "EMB_PROVIDER_REJECTED",
      "EMB_PROVIDER_REJECTED",
    ]);
    expect(JSON.stringify(spans.map(({ attributes, status, events }) => [attributes, status, events]))).not.toContain(
      "no:",
    );
  });

  it("of an aborted call say so", async () => {
    const spans = await trace((provider) =>
      provider.embedQueries(["a"], { signal: AbortSignal.abort() }).catch(() => {}),
    );
    expect(spans.map(({ attributes }) => attributes["error.type"])).toEqual(["aborted"]);
  });

  it("of a client's request continue its trace and hold the call's", async () => {
    const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    const spans = await trace(async (provider, telemetry) => {
      const asked = { method: "POST", route: "/v1/query", headers };
      await telemetry.serveRequest(asked, async () => {
        await provider.embedQueries(["a"], options);
        return 503;
      });
    });
    const [, embedding, served] = spans;
    expect(served?.name).toBe("POST /v1/query");
    expect(served?.kind).toBe(SpanKind.SERVER);
    expect(served?.attributes).toEqual({
      ...NINE,
      "http.request.method": "POST",
      "http.route": "/v1/query",
      "http.response.status_code": 503,
    });
    expect(served?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(served?.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
    expect(embedding?.parentSpanContext?.spanId).toBe(served?.spanContext().spanId);
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(
      new Set(["0af7651916cd43dd8448eb211c80319c"]),
    );
  });

  it("of a search of the store carry the database's names", async () => {
    const spans = await trace((_, telemetry) => telemetry.storeSearch(async () => {}));
    expect(spans.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["search docs_st_minilm", { ...NINE, "db.system.name": "postgresql", "db.operation.name": "search" }],
    ]);
  });
});
