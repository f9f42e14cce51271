import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embedProbes, fingerprint, parseManifest, PROBE_TEXTS, spaceId, type Profile } from "@emb/manifest";
import { createProvider, type EmbeddingProvider } from "@emb/providers";
import { openEmbeddedStore, type NamespaceAddress, type Seal, type Store } from "@emb/store";
import { openSearch, type SearchSetup } from "./search.js";

const TEXTS = {
  "ferry.md": "The ferry leaves the north quay at seven in the morning.",
  "refund.md": "Tickets are paid back when a sailing is cancelled.",
  "bread.md": "The bakery sells rye bread on Saturdays.",
};
const CHUNKER = "chunks-1/200";
const { signal } = new AbortController();
const sha256 = (text: string) => createHash("sha256").update(text).digest();

describe("openSearch", { timeout: 60_000 }, () => {
  let dataDir = "";
  let store: Store;
  let provider: EmbeddingProvider;
  let profile: Profile;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "emb-search-"));
    store = await openEmbeddedStore({ dataDir });
    const file = new URL("../../../config/embedding_profiles.yaml", import.meta.url);
    const reading = parseManifest(await readFile(file, "utf8"), { file: "embedding_profiles.yaml" });
    const found = reading.ok ? reading.manifest.profiles.get("st_minilm") : undefined;
    if (found === undefined) throw new Error(JSON.stringify(reading));
    profile = found;
    provider = await createProvider(profile, { env: {}, dataDir });
  }, 60_000);
  afterAll(async () => {
    await provider.close();
    await store.close();
    await rm(dataDir, { recursive: true });
  });

  const addressOf = (base: string): NamespaceAddress => ({
    base,
    suffix: "st_minilm",
    mode: "profile",
    namespace: `${base}_st_minilm`,
  });

  /** A namespace with three documents, sealed by the real model; `alter` changes the seal before it is written. */
  const fill = async (base: string, options: { ready: boolean; alter?: (seal: Seal) => Seal }) => {
    const probes = (["document", "query"] as const).flatMap((side) =>
      PROBE_TEXTS[side].map((text) => ({ side, text })),
    );
    const vectors = await embedProbes(provider, probes, signal);
    const { dims, similarity, storage, modelId, name } = profile;
    const own: Seal = {
      spaceId: spaceId(profile),
      fingerprint: fingerprint(profile),
      chunkerId: CHUNKER,
      profile: name,
      provider: profile.provider,
      modelId,
      dims,
      similarity,
      storage,
      witness: probes.map((probe, place) => ({ ...probe, vector: vectors[place]! })),
    };
    const seal = options.alter?.(own) ?? own;
    const record = await store.namespaces.create(addressOf(base), seal);
    const version = await store.documents.nextVersion();
    const source = `test:${base}`;
    const runId = `run-${base}`;
    await store.runs.create({ id: runId, base, namespaceId: record.id, profile: name, source, version });
    const documents = Object.entries(TEXTS).map(([id, text]) => ({
      id,
      title: null,
      format: "text" as const,
      text,
      metadata: {},
      version,
      contentHash: sha256(text),
    }));
    await store.documents.intake({ base, runId, source, documents });
    await store.runs.cutShards(runId, 100);
    const lease = await store.runs.claimShard(runId, { owner: "test", leaseMs: 30_000 });
    const writer = await store.namespaces.openWriter(record, { ...seal, chunkerId: CHUNKER });
    const { dense } = await provider.embedDocuments(Object.values(TEXTS), { signal });
    const chunksOf = (documentId: string, text: string, place: number) => [
      {
        documentId,
        ordinal: 0,
        contentHash: sha256(text),
        text,
        headingPath: "",
        vector: dense.subarray(place * dims, (place + 1) * dims),
      },
    ];
    await writer.writeBatch({
      lease: lease!,
      documents: documents.map(({ id, text }, place) => ({
        documentId: id,
        version,
        chunks: chunksOf(id, text, place),
      })),
      cursor: "refund.md",
      counters: { documents: 3, chunks: 3, embedded: 3, skipped: 0, failed: 0, tokens: 0 },
      failures: [],
    });
    if (options.ready) await store.namespaces.markReady(record.id);
  };
  const open = (base: string, more: Partial<SearchSetup> = {}) =>
    openSearch({ namespaces: store.namespaces, address: addressOf(base), provider, strict: true, signal, ...more });

  it("answers from a sealed namespace, best first, with provenance", async () => {
    await fill("good", { ready: true });
    const search = await open("good");
    expect(search.witnessCosine).toBeGreaterThan(0.9999);
    const answer = await search.search({ text: "when does the boat depart?", topK: 2 }, { signal });
    expect(answer).toMatchObject({ profile: "st_minilm", namespace: "good_st_minilm", seal: "equal" });
    expect(answer.hits.map(({ documentId }) => documentId)[0]).toBe("ferry.md");
    expect(answer.hits).toHaveLength(2);
    expect(answer.hits[0]!.score).toBeGreaterThan(answer.hits[1]!.score);
    expect(answer.hits[0]!.provenance).toMatchObject({
      runId: "run-good",
      contentHash: sha256(TEXTS["ferry.md"]).toString("hex"),
    });
    expect(search.mismatchedAnswers()).toBe(0);
  });

  it("refuses a namespace that is not there, or not verified", async () => {
    await expect(open("nowhere")).rejects.toMatchObject({ code: "EMB_NAMESPACE_NOT_FOUND" });
    await fill("filling", { ready: false });
    await expect(open("filling")).rejects.toMatchObject({ code: "EMB_NAMESPACE_NOT_READY" });
  });

  it("refuses a seal of another space; with strict off it answers, marked and counted", async () => {
    const alter = (seal: Seal): Seal => ({ ...seal, spaceId: "0".repeat(64), fingerprint: "1".repeat(64) });
    await fill("other", { ready: true, alter });
    await expect(open("other")).rejects.toMatchObject({ code: "EMB_SEAL_MISMATCH" });
    const search = await open("other", { strict: false });
    expect(search.witnessCosine).toBeNull();
    expect((await search.search({ text: "boat", topK: 1 }, { signal })).seal).toBe("mismatched");
    expect((await search.search({ text: "bread", topK: 1 }, { signal })).seal).toBe("mismatched");
    expect(search.mismatchedAnswers()).toBe(2);
  });

  it("refuses a model that does not repeat its probe vectors", async () => {
    const alter = (seal: Seal): Seal => ({
      ...seal,
      witness: seal.witness.map((probe) => ({ ...probe, vector: probe.vector.toReversed() })),
    });
    await fill("drifted", { ready: true, alter });
    await expect(open("drifted")).rejects.toMatchObject({ code: "EMB_WITNESS_FAILED" });
  });

  it("never cuts a query, never takes an empty one, and holds top_k to its bounds", async () => {
    const search = await open("good");
    const ask = (text: string, topK: number) => search.search({ text, topK }, { signal });
    await expect(ask("ferry ".repeat(600), 1)).rejects.toMatchObject({ code: "EMB_TEXT_TOO_LONG" });
    await expect(ask("   ", 1)).rejects.toMatchObject({ code: "EMB_TEXT_EMPTY" });
    for (const topK of [0, 1001, 1.5]) await expect(ask("ferry", topK)).rejects.toMatchObject({ code: "EMB_USAGE" });
    expect((await ask("ferry", 1000)).hits).toHaveLength(3);
  });
});
