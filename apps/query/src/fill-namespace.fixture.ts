import { randomUUID } from "node:crypto";
import type { Settings } from "@emb/config";
import { embedProbes, fingerprint, namespaceName, PROBE_TEXTS, spaceId, type Profile } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import type { Store } from "@emb/store";

const TEXTS = {
  "ferry.md": "The ferry to the island leaves at noon and carries sheep.",
  "library.md": "The library lends three books for a month.",
  "bakery.md": "The bakery sells rye bread on Saturdays.",
};

/** Fills the namespace of a profile with TEXTS, by the store's port alone: the re-ingest is another package's business. */
export async function fill(
  settings: Settings,
  profile: Profile,
  provider: EmbeddingProvider,
  store: Store,
): Promise<void> {
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
  const stored = await store.documents.read({ base, after: null, through: null, limit: 100 }); // unchanged ones keep their version
  const versions = new Map(stored.map((document) => [document.id, document.version]));
  await store.runs.cutShards(runId, documents.length);
  const lease = await store.runs.claimShard(runId, { owner: "test", leaseMs: 60_000 });
  if (lease === null) throw new Error("a run with documents has no shard");
  const { dense } = await provider.embedDocuments(Object.values(TEXTS), { signal });
  const writer = await store.namespaces.openWriter(record, seal);
  const chunks = documents.map(({ id, text, contentHash }, row) => ({
    documentId: id,
    version: versions.get(id) ?? version,
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
