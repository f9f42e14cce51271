import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChunker, reingest, type Source, type SourceItem } from "@emb/ingest";
import { parseManifest } from "@emb/manifest";
import type { EmbeddingProvider, Embeddings } from "@emb/providers";
import { openEmbeddedStore } from "@emb/store";

const DIMS = 384;
const MANIFEST = `
profiles:
  bench:
    provider: use-lite
    model_id: bench
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: none, model_id: bench }
    capabilities: { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: true, normalized_output: true, multilingual: false }
    price_per_million_tokens: 0
`;

/** Unit vectors made from a hash of the text: deterministic, distinct, and costing next to nothing. */
function embed(texts: readonly string[]): Embeddings {
  const dense = new Float32Array(texts.length * DIMS);
  for (const [place, text] of texts.entries()) {
    let state = createHash("sha256").update(text).digest().readUInt32LE(0);
    let square = 0;
    const vector = dense.subarray(place * DIMS, (place + 1) * DIMS);
    for (let i = 0; i < DIMS; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      vector[i] = state / 2 ** 31 - 1;
      square += vector[i]! ** 2;
    }
    for (let i = 0; i < DIMS; i++) vector[i]! /= Math.sqrt(square);
  }
  return { dense, count: texts.length, dims: DIMS, tokens: texts.length * 60 };
}

/** One chunk a document, about 490 bytes of distinct text. */
const documents = (count: number): Source => ({
  identity: "bench:memory",
  async *read(): AsyncGenerator<SourceItem> {
    for (let i = 0; i < count; i++) {
      const id = `document-${String(i).padStart(8, "0")}`;
      const text = `Number ${i}. ${"The ferry calls at the island when the tide allows it. ".repeat(8)}${id}`;
      yield { kind: "document", id, title: null, format: "text", text, metadata: {}, version: null };
    }
  },
});

const reading = parseManifest(MANIFEST, { file: "bench.yaml" });
if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
const profile = reading.manifest.profiles.get("bench")!;
const provider: EmbeddingProvider = {
  profile,
  embedDocuments: async (texts) => embed(texts),
  embedQueries: async (texts) => embed(texts),
  close: async () => {},
};
const words = (text: string): number => text.split(/\s+/).length;
const dataDir = await mkdtemp(join(tmpdir(), "emb-bench-memory-"));
const store = await openEmbeddedStore({ dataDir });
try {
  const report = await reingest({
    store,
    base: "bench",
    mode: "profile",
    provider,
    source: documents(Number(process.argv[2])),
    acceptFailures: 0,
    actor: "bench",
    tokenizer: { countTokens: (text) => ({ tokens: words(text), exact: true, estimate: words(text) }) },
    chunker: createChunker({ maxTokens: 200, countTokens: words }),
    limits: {
      maxDriftPct: 0,
      normTolerance: 0.001,
      minRecall: 0, // vectors without neighbourhoods say nothing of an index
      witnessMinCosine: 0.999,
      sampleQueries: 20,
    },
    commitRows: 1e3,
    shardDocuments: 500,
    leaseMs: 6e4,
    newRunId: randomUUID,
    nowMs: () => performance.now(),
    sleep: async () => {},
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const peak_mib = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(
    JSON.stringify({ chunks: report.chunks.total, state: report.state, seconds: report.seconds, peak_mib }),
  );
} finally {
  await store.close();
  await rm(dataDir, { recursive: true });
}
