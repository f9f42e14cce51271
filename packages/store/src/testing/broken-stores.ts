import { EmbError } from "@emb/manifest";
import type { Namespaces } from "../namespaces.js";
import {
  audit,
  documents,
  hits,
  namespaces,
  rateLimits,
  reader,
  readers,
  runs,
  wakeups,
  workers,
  writer,
  type Breakage,
} from "./breakage.js";
import { brokenChanges } from "./broken-changes.js";
import { brokenContent } from "./broken-content.js";
import { brokenShadowReads } from "./broken-shadow-reads.js";
import { brokenVerdicts } from "./broken-verdicts.js";
import type { StorePromise } from "./index.js";

/** Answers instead of refusing. */
const forgiving = async <T>(call: () => Promise<T>, answer: () => Promise<T> | T): Promise<T> => {
  try {
    return await call();
  } catch {
    return answer();
  }
};
const existing = (own: Namespaces, base: string, suffix: string) => async () => {
  const found = await own.find({ base, suffix });
  if (found === null) throw new EmbError("EMB_INTERNAL", "a broken store needs what it breaks", { hint: "" });
  return found;
};
const forgivingCreate = namespaces((own) => ({
  create: (address, seal) => forgiving(() => own.create(address, seal), existing(own, address.base, address.suffix)),
}));
/** Opens under whatever seal is stored. */
const openAny = namespaces((own) => ({
  openReader: async (address, expected, options) =>
    own.openReader(address, (await own.find(address))?.seal ?? expected, options),
  openWriter: async (address, expected) => own.openWriter(address, (await own.find(address))?.seal ?? expected),
}));
const unsorted = <T>(rows: readonly T[]): readonly T[] => rows.toReversed();
const withoutLast = <T>(rows: readonly T[]): readonly T[] => rows.slice(0, -1);

/** For every promise a store that breaks it and, as far as that can be, nothing else. */
export const brokenStores: Record<StorePromise, Breakage> = {
  "no minute holds more requests or tokens than the limit, whoever asks": rateLimits((own) => ({
    reserve: (request) => own.reserve({ ...request, tokensPerMinute: null }),
  })),
  "a worker is listed with the shards it holds, from its first report until it leaves": workers((own) => ({
    list: async (filter) => (await own.list(filter)).map((worker) => ({ ...worker, shards: 0 })),
  })),
  "a worker that was killed is forgotten by the next sign of life of another": workers((own) => ({
    report: (report) => own.report(report),
  })),
  "a silent worker is not listed, and a sign of life brings it first": workers((own) => ({
    list: () => own.list({ withinMs: 60_000 }),
  })),
  "wake-ups come with the shards, one for each of at most 64, and each is taken once": wakeups((own) => {
    let extra = false;
    return {
      async take() {
        if (await own.take()) return true;
        extra = !extra;
        return extra;
      },
    };
  }),
  "a namespace is made filling and keeps its seal with the witness": namespaces((own) => ({
    find: async (address) => {
      const found = await own.find(address);
      return found === null ? null : { ...found, seal: { ...found.seal, witness: [] } };
    },
  })),
  "an equal seal gives the namespace that is there": namespaces((own) => ({
    create: async (address, seal) => ({ ...(await own.create(address, seal)), createdAt: new Date() }),
  })),
  "a changed fingerprint under the same profile name is refused with both fingerprints and the advice to take a new name":
    forgivingCreate,
  "another chunker is refused": forgivingCreate,
  "mode none holds one profile": forgivingCreate,
  "the mode is stored with the base and another one is refused": namespaces(() => ({
    modeOf: () => Promise.resolve("model"),
  })),
  "bases that look alike with their suffix never meet": namespaces((own) => ({
    find: async ({ base, suffix }) => {
      const name = suffix === "" ? base : `${base}_${suffix}`;
      return (await own.list()).find(({ namespace, state }) => namespace === name && state !== "retired") ?? null;
    },
  })),
  "more dims than a column takes are refused": namespaces((own) => ({
    create: (address, seal) => own.create(address, { ...seal, dims: Math.min(seal.dims, 16_000) }),
  })),
  "a namespace that is not there cannot be opened": namespaces((own) => ({
    openReader: (address, expected, options) =>
      forgiving(
        () => own.openReader(address, expected, options),
        async () => {
          await own.create(address, {
            ...expected,
            chunkerId: "",
            provider: "",
            modelId: "",
            similarity: "dot",
            storage: "vector",
            witness: [],
          });
          return own.openReader(address, expected, options);
        },
      ),
  })),
  "a reader of another space is refused with both fingerprints": openAny,
  "a reader needs an equal space, not an equal fingerprint": namespaces((own) => ({
    openReader: async (address, expected, options) => {
      const found = await own.find(address);
      if (found?.seal.fingerprint !== expected.fingerprint)
        throw new EmbError("EMB_SEAL_MISMATCH", "too strict", { hint: "-" });
      return own.openReader(address, expected, options);
    },
  })),
  "with strict off another space of equal dims is read as mismatched": openAny,
  "with strict off other dims are refused all the same": openAny,
  "a writer needs an equal fingerprint and chunker": openAny,
  "a verified namespace is ready": namespaces(() => ({ markReady: () => Promise.resolve() })),
  "a retired namespace is gone, stays in the list and makes room": namespaces(() => ({
    retire: () => Promise.resolve(),
  })),

  "drawn versions rise": documents(() => ({ nextVersion: () => Promise.resolve(5n) })),
  "a document comes back as it was given": documents((own) => ({
    read: async (page) => (await own.read(page)).map((document) => ({ ...document, text: document.text.trim() })),
  })),
  "intake counts what is new, changed, unchanged and superseded": documents((own) => ({
    intake: async (call) => {
      const counts = await own.intake(call);
      return { ...counts, created: counts.created + counts.changed, changed: 0 };
    },
  })),
  "intake finds its documents among others, in whatever order they come": documents((own) => ({
    intake: (call) => own.intake({ ...call, source: call.source === "sample" ? "place before" : call.source }),
  })),
  "an unchanged document keeps its version": documents((own) => ({
    read: async (page) => (await own.read(page)).map((document) => ({ ...document, version: document.version + 1n })),
  })),
  "a newer document is never overwritten by an older one": documents((own) => ({
    intake: (call) =>
      own.intake({ ...call, documents: call.documents.map((document) => ({ ...document, version: 9n })) }),
  })),
  "repeating an intake changes nothing": documents((own) => ({
    intake: (call) =>
      own.intake({
        ...call,
        documents: call.documents.map((document) => ({
          ...document,
          contentHash: crypto.getRandomValues(new Uint8Array(32)),
        })),
      }),
  })),
  "order is bytewise and the bounds are after, through": documents((own) => ({
    read: async (page) => (await own.read(page)).toSorted((a, b) => a.id.localeCompare(b.id)),
  })),
  "a page ends with the document that passes maxBytes": documents((own) => ({
    read: ({ base, after, through, limit }) => own.read({ base, after, through, limit }),
  })),
  "a NUL character is refused by name and nothing of the call is stored": documents((own) => ({
    intake: ({ documents: given, ...call }) =>
      own.intake({
        ...call,
        documents: given.map((document) => ({
          ...document,
          title: null,
          metadata: {},
          text: document.text.replaceAll("\0", ""),
        })),
      }),
  })),
  "sweep tombstones what the run did not see, of its source and older": documents((own) => ({
    sweep: (sweep) => own.sweep({ ...sweep, version: sweep.version + 100n }),
  })),
  "sweep ends the run's memory": documents((own) => ({
    sweep: async (sweep) => {
      const seen = await own.read({ base: sweep.base, after: null, through: null, limit: 1_000 });
      const swept = await own.sweep(sweep);
      await own.markSeen({ ...sweep, documentIds: seen.map(({ id }) => id) });
      return swept;
    },
  })),
  "a deletion stays deleted until a newer version comes": documents((own) => ({
    delete: async (deletion) => ({ ...(await own.delete({ ...deletion, version: 5n })), version: deletion.version }),
  })),
  "deleting tells when it was newer or not there": documents((own) => ({
    delete: async (deletion) => ({ ...(await own.delete(deletion)), state: "deleted" }),
  })),
  "a deletion removes the chunks from every namespace of the base": reader((own, store) => ({
    count: async () => {
      const { live, deleted } = await store.documents.count(own.record.base);
      return { documents: live + deleted, chunks: 2 * (live + deleted) };
    },
  })),

  ...brokenChanges,
  ...brokenContent,
  ...brokenVerdicts,
  ...brokenShadowReads,

  "a run starts in plan and is found": runs((own) => ({
    get: async (id) => {
      const run = await own.get(id);
      return run === null ? null : { ...run, documentsTotal: 0 };
    },
  })),
  "runs are listed newest first, by base and state": runs((own) => ({
    list: async (filter) => unsorted(await own.list(filter)),
  })),
  "a step is taken only from the states it names": runs((own) => ({
    transition: (id, step) => own.transition(id, { ...step, from: ["plan", ...step.from] }),
  })),
  "shards cover every document once and are cut once": runs((own) => ({
    claimShard: async (...call) => {
      const lease = await own.claimShard(...call);
      return lease === null ? null : { ...lease, through: null };
    },
  })),
  "shards are cut of what is pending, and of nothing else": runs((own) => ({
    cutShards: async (...call) => {
      const cut = await own.cutShards(...call);
      return { ...cut, shards: Math.max(cut.shards, 1) };
    },
  })),
  "a run keeps how many set-aside texts it accepts": runs(() => ({ acceptFailures: async () => {} })),
  "a partial run fills the documents of its scope and no others": writer((own) => ({
    readPending: ({ scopeOf: _forgotten, ...page }) => own.readPending(page),
  })),
  "a shard has one holder, and none is free after the last": runs((own) => ({
    claimShard: async (id, claim) => {
      const lease = await own.claimShard(id, claim);
      return (
        lease ?? {
          runId: id,
          shard: 0,
          fencingToken: 1n,
          leaseMs: claim.leaseMs,
          after: null,
          through: null,
          cursor: null,
        }
      );
    },
  })),
  "a lease that ran out is taken over with a higher token and the last cursor": runs((own) => ({
    claimShard: async (...call) => {
      const lease = await own.claimShard(...call);
      return lease === null ? null : { ...lease, cursor: null };
    },
  })),
  "a renewed lease holds on, a lost one is refused": runs((own) => ({
    renew: (lease) =>
      forgiving(
        () => own.renew(lease),
        () => undefined,
      ),
  })),
  "a released shard is free at once, and releasing a lost lease is no error": runs((own) => ({
    release: async (lease) => {
      await own.renew(lease);
      await own.release(lease);
    },
  })),
  "a completed shard is done for good": runs((own) => ({ complete: (lease) => own.release(lease) })),
  "a lost lease cannot complete its shard": runs((own) => ({
    complete: (lease) => own.complete({ ...lease, fencingToken: lease.fencingToken + 1n }),
  })),
  "what a run spends adds up, and an unknown price stays unknown": runs((own) => ({
    settleSpend: (id, { spent, ...more }) =>
      own.settleSpend(id, { ...more, spent: { ...spent, costUsd: spent.costUsd ?? 0 } }),
  })),
  "nothing is set apart past the limit, by any number of callers": runs((own) => {
    let looked: ReturnType<typeof own.get> | undefined;
    return {
      reserveSpend: async (id, atMost) => {
        const { spend } = (await (looked ??= own.get(id)))!; // looked once and then written: callers at the same time pass
        const left = (spend.maxCostUsd ?? Infinity) - (spend.costUsd ?? 0) - spend.reserved.costUsd;
        if (left < atMost.costUsd) return { leftUsd: left };
        await own.settleSpend(id, {
          spent: { tokens: 0, costUsd: 0 },
          reserved: { tokens: -atMost.tokens, costUsd: -atMost.costUsd },
        });
        return null;
      },
    };
  }),
  "the later reason of a failure stands": runs((own) => ({
    failures: async (id, limit) => unsorted(await own.failures(id, limit)),
  })),

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
  "committed documents are counted, also those without chunks": writer((own, store) => ({
    countCommitted: async () => {
      const opened = await store.namespaces.openReader(own.record, own.record.seal, { strict: true });
      return (await opened.count()).documents;
    },
  })),
  "a forgotten document is pending again": writer(() => ({ forget: () => Promise.resolve() })),
  "chunks of swept documents are gone at once, and nothing is left to remove": writer(() => ({
    removeDead: () => Promise.resolve(2),
  })),
  "building the index of a small namespace says why there is none, as often as asked": writer(() => ({
    buildIndex: () => Promise.resolve({ built: true, reason: "built" }),
  })),

  "cosine similarity is the score": hits((found) => found.map((hit) => ({ ...hit, score: 1 - hit.score }))),
  "the inner product is the score": hits((found) => found.map((hit) => ({ ...hit, score: -hit.score }))),
  "minus the Euclidean distance is the score": hits((found) => found.map((hit) => ({ ...hit, score: -hit.score }))),
  "equal scores come in order of document and ordinal": hits((found) =>
    found.toSorted((a, b) => b.score - a.score || b.ordinal - a.ordinal),
  ),
  "a hit carries its text and where it is from": hits((found) => found.map((hit) => ({ ...hit, text: "" }))),
  "as many hits as asked for, fewer only when there are fewer chunks": hits((found) => found.slice(0, 10)),
  "a query of wrong dims or with numbers that are not finite is refused": reader((own) => ({
    searchDense: (query) =>
      forgiving(
        () => own.searchDense(query),
        () => [],
      ),
  })),
  "documents and chunks are counted": reader((own) => ({
    count: async () => {
      const rows = await own.scan({ after: null, limit: 1_000 });
      return { documents: rows.filter(({ ordinal }) => ordinal === 0).length, chunks: rows.length };
    },
  })),
  "documents that are not shown as they are now are lag": reader(() => ({ lag: () => Promise.resolve(0) })),
  "scanning pages through all chunks in order of their key": reader((own) => ({
    scan: async (page) => withoutLast(await own.scan(page)),
  })),
  "scanning tells content hash, version, dims, norm and what is shown": reader((own) => ({
    scan: async (page) => (await own.scan(page)).map((row) => ({ ...row, shownHash: row.contentHash })),
  })),
  "the same seed samples the same vectors": reader((own) => ({
    sampleVectors: ({ limit }) => own.sampleVectors({ limit, seed: Math.floor(Math.random() * 1e9) }),
  })),
  "content that has a vector is found by its hash, and no other": reader(() => ({
    findContent: (hashes) => Promise.resolve(new Set(hashes.map((hash) => Buffer.from(hash).toString("hex")))),
  })),

  "a reader is listed from its first report until it leaves": readers(() => ({ leave: () => Promise.resolve() })),
  "a silent reader is not listed, and a sign of life brings it first": readers((own) => ({
    list: ({ base }) => own.list(base === undefined ? { withinMs: 60_000 } : { withinMs: 60_000, base }),
  })),
  "the first start with another profile is a cutover": readers((own) => ({
    recordServing: async (serving) => (await own.recordServing(serving)) ?? serving.profile,
  })),
  "what is appended is listed newest first and moves the head": audit((own) => ({
    list: async (limit) => unsorted(await own.list(limit)),
  })),
  "rows are listed by their action": audit((own) => ({ list: ({ limit }) => own.list({ limit }) })),
  "rows are read as they are stored, oldest first, and prove themselves": audit((own) => ({
    read: async (page) => (await own.read(page)).map((row) => ({ ...row, entry: `${row.entry} ` })),
  })),
  "an untouched log verifies, with any head it ever had": audit((own) => ({
    verify: async (expected) => {
      const head = await own.verify();
      return expected === undefined || expected === head.head ? head : { ...head, ok: false, firstBad: 1 };
    },
  })),
  "a log without the expected head is cut off": audit((own) => ({ verify: () => own.verify() })),
  "concurrent appends make one chain": audit((own) => {
    let seen: ReturnType<typeof own.head> | undefined;
    return {
      append: async (entry) => {
        seen ??= own.head(); // read once, for everybody
        const { rows, head } = await seen;
        await own.append(entry);
        return { rows: rows + 1, head };
      },
    };
  }),
};
