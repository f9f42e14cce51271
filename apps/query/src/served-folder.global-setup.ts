import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { loadSettings, type Settings } from "@emb/config";
import { embedProbes, fingerprint, namespaceName, PROBE_TEXTS, spaceId, type Profile } from "@emb/manifest";
import { createProvider, type EmbeddingProvider } from "@emb/providers";
import { openEmbeddedStore, type Store } from "@emb/store";

declare module "vitest" {
  interface ProvidedContext {
    /** A project folder whose namespace docs_one is filled with TEXTS and ready; tests copy it. */
    servedFolder: string;
  }
}

const TEXTS = {
  "ferry.md": "The ferry to the island leaves at noon and carries sheep.",
  "library.md": "The library lends three books for a month.",
  "bakery.md": "The bakery sells rye bread on Saturdays.",
};

const MANIFEST = `profiles:
${["one", "two"]
  .map(
    (name) => `  ${name}:
    provider: sentence-transformers
    model_id: sentence-transformers/all-MiniLM-L6-v2
    version: ${name}
    precision: int8
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface, model_id: sentence-transformers/all-MiniLM-L6-v2 }
    capabilities: { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
    requirements: []
    limits: { max_input_tokens: 256, max_batch_items: 32 }
`,
  )
  .join("")}`;

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const dir = await mkdtemp(join(tmpdir(), "emb-query-template-"));
  await mkdir(join(dir, "config"));
  await writeFile(join(dir, "config/embedding_profiles.yaml"), MANIFEST);
  await writeFile(
    join(dir, "config/production.yaml"),
    "embedding: { profile: one }\nquery: { port: 0, max_top_k: 5, top_k: 2 }\n",
  );
  const settings = loadSettings({ env: { ENV: "production" }, cwd: dir });
  const profile = settings.manifest.profiles.get("one")!;
  const provider = await createProvider(profile, { env: {}, dataDir: settings.paths.dataDir });
  const store = await openEmbeddedStore({ dataDir: settings.paths.dataDir });
  try {
    await fill(settings, profile, provider, store);
  } finally {
    await store.close();
    await provider.close();
  }
  provide("servedFolder", dir);
  return () => rm(dir, { recursive: true });
};

/** By the store's port alone: the re-ingest is another package's business. */
async function fill(settings: Settings, profile: Profile, provider: EmbeddingProvider, store: Store): Promise<void> {
  const { signal } = new AbortController();
  const base = settings.store.baseNamespace;
  const mode = settings.namespaceMode;
  const probes = PROBE_TEXTS.query.map((text) => ({ side: "query" as const, text }));
  const vectors = await embedProbes(provider, probes, signal);
  const { provider: providerName, modelId, dims, similarity, storage, name } = profile;
  const seal = {
    spaceId: spaceId(profile),
    fingerprint: fingerprint(profile),
    chunkerId: "whole-documents",
    profile: name,
    provider: providerName,
    modelId,
    dims,
    similarity,
    storage,
    witness: probes.map((probe, place) => ({ ...probe, vector: vectors[place]! })),
  };
  const record = await store.namespaces.create({ ...namespaceName({ base, profile, mode }), mode }, seal);
  const runId = randomUUID();
  const version = await store.documents.nextVersion();
  await store.runs.create({ id: runId, base, namespaceId: record.id, profile: name, source: "test", version });
  const documents = Object.entries(TEXTS).map(([id, text]) => ({
    id,
    title: null,
    format: "markdown" as const,
    text,
    metadata: {},
    version,
    contentHash: Buffer.alloc(32, id),
  }));
  await store.documents.intake({ base, runId, source: "test", documents });
  await store.runs.cutShards(runId, documents.length);
  const lease = await store.runs.claimShard(runId, { owner: "test", leaseMs: 60_000 });
  if (lease === null) throw new Error("a run with documents has no shard");
  const { dense } = await provider.embedDocuments(Object.values(TEXTS), { signal });
  const writer = await store.namespaces.openWriter(record, seal);
  const chunks = documents.map(({ id, text, contentHash }, row) => ({
    documentId: id,
    version,
    chunks: [
      {
        documentId: id,
        ordinal: 0,
        contentHash,
        text,
        headingPath: "",
        vector: dense.subarray(row * dims, (row + 1) * dims),
      },
    ],
  }));
  const counters = { documents: 3, chunks: 3, embedded: 3, skipped: 0, failed: 0, tokens: 0 };
  const ordered = chunks.toSorted((a, b) => (a.documentId < b.documentId ? -1 : 1));
  await writer.writeBatch({ lease, documents: ordered, cursor: ordered.at(-1)!.documentId, counters, failures: [] });
  await store.runs.complete(lease);
  await store.namespaces.markReady(record.id);
}
