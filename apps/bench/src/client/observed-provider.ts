import type { Profile } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import { DIMS, MODEL } from "./texts.js";

/** As `createProvider` makes it, with every check, metric and label that a service has. */
export async function observedProvider(url: URL, batchItems: number): Promise<EmbeddingProvider> {
  const { createProvider } = await import("@emb/providers");
  const { createEmbeddingTelemetry } = await import("@emb/providers/telemetry");
  const { MeterProvider } = await import("@opentelemetry/sdk-metrics");
  const { PrometheusExporter } = await import("@opentelemetry/exporter-prometheus");
  const profile = await benchProfile(batchItems);
  const meters = new MeterProvider({ readers: [new PrometheusExporter({ preventServerStart: true })] });
  const openTelemetry = createEmbeddingTelemetry({
    meter: meters.getMeter("bench"),
    tracer: null,
    environment: "bench",
    nowMs: () => performance.now(),
    epochMs: () => Date.now(),
  });
  const { observer } = openTelemetry({
    profile,
    namespace: "docs_bench",
    namespaceMode: "profile",
    strictMode: true,
    swappable: false,
    experiment: null,
  });
  return createProvider(profile, { env: { OPENAI_COMPATIBLE_URL: url.href }, dataDir: "unused", observer });
}

async function benchProfile(batchItems: number): Promise<Profile> {
  const { parseManifest } = await import("@emb/manifest");
  const reading = parseManifest(manifest(batchItems), { file: "bench.yaml" });
  const profile = reading.ok ? reading.manifest.profiles.get("bench") : undefined;
  if (profile === undefined) throw new Error("the benchmark's manifest is not valid");
  return profile;
}

const manifest = (batchItems: number): string => `
profiles:
  bench:
    provider: openai-compatible
    model_id: ${MODEL}
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: none, model_id: bench }
    capabilities: { supports_dense: true, normalized_output: true }
    limits: { max_input_tokens: 8192, max_batch_items: ${batchItems} }
    price_per_million_tokens: 0.02
`;
