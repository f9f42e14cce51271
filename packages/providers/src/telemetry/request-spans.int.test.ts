import { createServer } from "node:http";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { expect, it } from "vitest";
import { z } from "zod";
import { createProvider } from "../factory.js";
import { profileOf } from "../profile.test-data.js";
import { createEmbeddingTelemetry } from "./embedding-telemetry.js";
import { createReadMeter } from "./read-meter.test-data.js";

it("each HTTP request, failed ones included, is a child of the call it was sent for", async () => {
  let asked = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.once("end", () => {
      if (++asked % 5 === 0) response.statusCode = 500;
      const { input } = z.object({ input: z.array(z.string()) }).parse(JSON.parse(body));
      const data = input.map((_, index) => ({ index, embedding: [1, 0] }));
      setImmediate(() => response.end(JSON.stringify({ model: "m", data, usage: { prompt_tokens: 1 } })));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const profile = profileOf({
    provider: "openai-compatible",
    modelId: "m",
    dims: 2,
    serviceUrl: `http://127.0.0.1:${port}/v1`,
    limits: { maxBatchItems: 4 },
  });
  const exporter = new InMemorySpanExporter();
  const traces = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  traces.register();
  const telemetry = createEmbeddingTelemetry({
    meter: createReadMeter().meter,
    tracer: traces.getTracer("test"),
    environment: "test",
    nowMs: () => performance.now(),
    epochMs: () => performance.timeOrigin + performance.now(),
  })({ profile, namespace: "docs", namespaceMode: "none", strictMode: true, swappable: false, experiment: null });
  const inner = await createProvider(profile, { env: {}, dataDir: "unused", observer: telemetry.observer });
  const provider = telemetry.traced(inner);
  try {
    const calls = Array.from({ length: 8 }, (_, call) =>
      provider.embedDocuments(
        Array.from({ length: 9 + call }, (__, text) => `${call}-${text}`),
        { signal: new AbortController().signal },
      ),
    );
    await Promise.all(calls);
  } finally {
    await provider.close();
    server.close();
  }

  const spans = exporter.getFinishedSpans();
  const answered = new Map<string | undefined, number>();
  for (const { name, attributes, parentSpanContext } of spans)
    if (name.endsWith(" request") && attributes["error.type"] === undefined) {
      const parent = parentSpanContext?.spanId;
      answered.set(parent, (answered.get(parent) ?? 0) + Number(attributes["embedding_texts"]));
    }
  const calls = spans.filter(({ name }) => name === "embeddings m");
  expect(new Map(calls.map((span) => [span.spanContext().spanId, span.attributes["embedding_texts"]]))).toEqual(
    answered,
  );
  expect(calls).toHaveLength(8);
  const failed = spans.filter(
    ({ name, attributes }) => name.endsWith(" request") && attributes["error.type"] !== undefined,
  );
  expect(failed).toHaveLength(Math.floor(asked / 5));
  expect(new Set(failed.map(({ attributes }) => attributes["http.response.status_code"]))).toEqual(new Set([500]));
});
