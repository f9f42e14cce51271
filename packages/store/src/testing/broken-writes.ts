import { documents, writer, type Breakage } from "./breakage.js";
import type { writeChecks } from "./write-checks.js";

export const brokenWrites: Record<keyof typeof writeChecks, Breakage> = {
  "a batch commits chunks, cursor, counters and failures together": writer((own) => ({
    writeBatch: (batch) => own.writeBatch({ ...batch, failures: [] }),
  })),
  "a repeated batch changes no chunk": writer((own, store) => ({
    writeBatch: async (batch) => {
      const written = await own.writeBatch(batch);
      await store.runs.recordFailures(batch.lease.runId, [
        { documentId: crypto.randomUUID(), ordinal: null, code: "-", reason: "-" },
      ]);
      return written;
    },
  })),
  "a document's chunks replace all it had": writer((own) => ({
    readKeys: async (ids) => [...(await own.readKeys(ids)), ...(await own.readKeys(ids.slice(0, 1)))],
  })),
  "stored vectors are bit for bit the ones that came": writer((own) => ({
    writeBatch: (batch) =>
      own.writeBatch({
        ...batch,
        documents: batch.documents.map((document) => ({
          ...document,
          chunks: document.chunks.map((chunk) => ({
            ...chunk,
            vector: chunk.vector.map((value) => Number(value.toPrecision(6))),
          })),
        })),
      }),
  })),
  "wrong dims and numbers that are not finite are refused, and nothing of the batch is stored": writer((own) => ({
    writeBatch: (batch) =>
      own.writeBatch({
        ...batch,
        documents: batch.documents.map((document) => ({
          ...document,
          chunks: document.chunks.map((chunk) => ({
            ...chunk,
            vector: Float32Array.from({ length: 4 }, (_, i) =>
              Number.isFinite(chunk.vector[i] ?? 0) ? (chunk.vector[i] ?? 0) : 0,
            ),
          })),
        })),
      }),
  })),
  "a document with another version or a tombstone is left alone and counted": writer((own, store) => ({
    writeBatch: async (batch) => {
      const live = await store.documents.read({ base: own.record.base, after: null, through: null, limit: 1_000 });
      const versions = new Map(live.map(({ id, version }) => [id, version]));
      return own.writeBatch({
        ...batch,
        documents: batch.documents.map((document) => ({
          ...document,
          version: versions.get(document.documentId) ?? document.version,
        })),
      });
    },
  })),
  "a lease that another holder took is refused, and nothing of the batch is stored": writer((own) => ({
    writeBatch: (batch) => own.writeBatch({ ...batch, lease: { ...batch.lease, fencingToken: 2n } }),
  })),
  "a lease that ran out is refused though nobody took it": writer((own, store) => ({
    writeBatch: async (batch) =>
      own.writeBatch({
        ...batch,
        lease: (await store.runs.claimShard(batch.lease.runId, { owner: "-", leaseMs: 60_000 })) ?? batch.lease,
      }),
  })),
  "a batch renews its lease": writer((own) => ({
    writeBatch: (batch) => own.writeBatch({ ...batch, lease: { ...batch.lease, leaseMs: 1 } }),
  })),
  "what is not committed in its current version is pending, in order": writer((own, store) => ({
    readPending: (page) => store.documents.read({ base: own.record.base, ...page }),
  })),
  "documents that are committed in a namespace can be read alone": documents((own) => ({
    read: ({ committedIn: _forgotten, ...page }) => own.read(page),
  })),
  "a forgotten document is pending again": writer(() => ({ forget: () => Promise.resolve() })),
  "chunks of swept documents are gone at once": documents((own) => ({
    sweep: (sweep) => own.sweep({ ...sweep, saw: () => true }),
  })),
  "building the index of a small namespace says why there is none, as often as asked": writer(() => ({
    buildIndex: () => Promise.resolve({ built: true, reason: "built" }),
  })),
};
