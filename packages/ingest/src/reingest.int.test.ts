import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbError, parseManifest, type Profile } from "@emb/manifest";
import { createProvider, createTokenizer, type EmbeddingProvider } from "@emb/providers";
import { openEmbeddedStore, type Store } from "@emb/store";
import { createChunker } from "./document-chunker.js";
import { reingest, type Progress, type ReingestSetup } from "./reingest.js";
import type { Source, SourceItem } from "./source.js";

const profileText = (name: string) => `
  ${name}:
    provider: sentence-transformers
    model_id: sentence-transformers/all-MiniLM-L6-v2
    version: ${name}
    precision: int8
    pooling: mean
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface, model_id: sentence-transformers/all-MiniLM-L6-v2 }
    capabilities: { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
    requirements: []
    limits: { max_input_tokens: 256, max_batch_items: 32 }
    price_per_million_tokens: 2
`;
/** Two profiles of one model under two versions, so that they are two vector spaces to emb. */
const MANIFEST = `profiles:${profileText("one")}${profileText("two")}`;

const LIMITS = { maxDriftPct: 0, normTolerance: 1e-3, minRecall: 0.95, witnessMinCosine: 0.999, sampleQueries: 5 };

/** Documents by id; a `SetAside` stands for itself. */
const sourceOf = (identity: string, items: Readonly<Record<string, string | { code: "EMB_DOCUMENT_UNREADABLE"; reason: string }>>): Source => ({
  identity,
  async *read(): AsyncGenerator<SourceItem> {
    for (const [id, item] of Object.entries(items))
      yield typeof item === "string"
        ? { kind: "document", id, title: null, format: "text", text: item, metadata: {}, version: null }
        : { kind: "set-aside", id, ...item };
  },
});

describe("reingest", () => {
  let dataDir = "";
  let store: Store;
  let profiles: ReadonlyMap<string, Profile>;
  const providers: EmbeddingProvider[] = [];
  /** Texts given to the model, over all providers of this file. */
  let embedded: string[] = [];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "emb-ingest-"));
    store = await openEmbeddedStore({ dataDir });
    const reading = parseManifest(MANIFEST, { file: "manifest.yaml" });
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    profiles = reading.manifest.profiles;
  }, 60_000);
  afterAll(async () => {
    for (const provider of providers) await provider.close();
    await store.close();
    await rm(dataDir, { recursive: true });
  });

  /** The real model, counting what it is asked; `refuse` makes it turn away a text as a service would. */
  const modelOf = async (name: string, refuse: (text: string) => EmbError | null = () => null) => {
    const profile = profiles.get(name)!;
    const inner = await createProvider(profile, { env: {}, dataDir });
    providers.push(inner);
    const tokenizer = await createTokenizer(profile, { env: {}, dataDir });
    const provider: EmbeddingProvider = {
      profile,
      close: () => inner.close(),
      embedQueries: (texts, options) => inner.embedQueries(texts, options),
      async embedDocuments(texts, options) {
        for (const text of texts) {
          const error = refuse(text);
          if (error) throw error;
        }
        const answer = await inner.embedDocuments(texts, options);
        embedded.push(...texts);
        return answer;
      },
    };
    const chunker = createChunker({ maxTokens: 40, countTokens: (text) => tokenizer.countTokens(text).tokens });
    return { provider, chunker };
  };

  const setup = async (base: string, source: Source, more: Partial<ReingestSetup> & { profile?: string; refuse?: (text: string) => EmbError | null } = {}) => {
    const { profile = "one", refuse, ...rest } = more;
    embedded = [];
    return {
      ...{ store, base, mode: "profile", source, limits: LIMITS, acceptFailures: 0, actor: "test" },
      ...{ commitRows: 100, shardDocuments: 3, leaseMs: 30_000, newRunId: randomUUID, nowMs: () => performance.now() },
      sleep: () => Promise.resolve(),
      signal: new AbortController().signal,
      onProgress: () => {},
      ...(await modelOf(profile, refuse)),
      ...rest,
    } satisfies ReingestSetup;
  };

  const TEN = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`doc-${i}.txt`, `Ferry number ${i} leaves at ${i} o'clock.`]));
  /** What the model embeds beside documents: the probe texts of a new seal, and again in verification. */
  const withoutProbes = (texts: readonly string[]) => texts.filter((text) => text.startsWith("Ferry"));

  it("fills, verifies and makes ready; again, it embeds nothing", async () => {
    const source = sourceOf("test:twice", TEN);
    const progress: Progress["kind"][] = [];
    const first = await reingest(await setup("twice", source, { onProgress: ({ kind }) => progress.push(kind) }));
    expect(first).toMatchObject({
      ...{ state: "ready", namespace: "twice_one", documents: 10, resumed: false },
      chunks: { total: 10, embedded: 10, skipped: 0, failed: 0 },
      verification: { ok: true, expected: 10, found: 10, driftPct: 0 },
    });
    expect(first.tokens).toBeGreaterThan(100);
    expect(first.costUsd).toBeCloseTo((first.tokens / 1e6) * 2, 12);
    expect(withoutProbes(embedded)).toHaveLength(10);
    expect([...new Set(progress)]).toEqual(["run", "intake", "taken-in", "fill", "index", "verify"]);

    const again = await reingest(await setup("twice", source));
    expect(again).toMatchObject({ state: "ready", chunks: { total: 10, embedded: 0, skipped: 10, failed: 0 }, tokens: 0, costUsd: 0 });
    expect(withoutProbes(embedded)).toEqual([]);
  });

  it("embeds what changed, and removes what is gone", async () => {
    await reingest(await setup("change", sourceOf("test:change", TEN)));
    const { "doc-0.txt": _gone, ...rest } = TEN;
    const changed = { ...rest, "doc-5.txt": "Ferry number 5 is in the yard." };
    const report = await reingest(await setup("change", sourceOf("test:change", changed)));
    expect(report).toMatchObject({
      ...{ state: "ready", documents: 9, chunks: { total: 9, embedded: 1, skipped: 8, failed: 0 } },
      intake: { seen: 9, created: 0, changed: 1, unchanged: 8, removed: 1 },
    });
    expect(withoutProbes(embedded)).toEqual(["Ferry number 5 is in the yard."]);
  });

  it("embeds one text once, however many documents have it", async () => {
    const same = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`tiny-${String(i).padStart(3, "0")}`, `Ferry ${i % 7}`]));
    const report = await reingest(await setup("tiny", sourceOf("test:tiny", same), { shardDocuments: 50, commitRows: 64 }));
    expect(report).toMatchObject({ state: "ready", chunks: { total: 500, embedded: 7, skipped: 493 } });
    expect(withoutProbes(embedded).sort()).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `Ferry ${i}`));
  });

  it("sets aside what cannot be read and what the provider refuses, names both, is not ready, and repairs on the next run", async () => {
    const bad = { ...TEN, "broken.txt": { code: "EMB_DOCUMENT_UNREADABLE", reason: "not UTF-8 at byte 3" } as const };
    const refuse = (text: string) =>
      text.includes("number 7") ? new EmbError("EMB_PROVIDER_REJECTED", "the service answered 400", { hint: "-" }) : null;
    const report = await reingest(await setup("aside", sourceOf("test:aside", bad), { refuse }));
    expect(report).toMatchObject({ state: "failed", chunks: { total: 9, embedded: 9, failed: 1 }, intake: { setAside: 1 } });
    expect(report.reason).toContain("set_aside: seen 2");
    expect(await store.runs.failures(report.runId, 10)).toEqual([
      { documentId: "broken.txt", ordinal: null, code: "EMB_DOCUMENT_UNREADABLE", reason: "not UTF-8 at byte 3" },
      { documentId: "doc-7.txt", ordinal: 0, code: "EMB_PROVIDER_REJECTED", reason: "the service answered 400" },
    ]);
    expect((await store.namespaces.find({ base: "aside", suffix: "one" }))?.state).toBe("filling");

    const repaired = await reingest(await setup("aside", sourceOf("test:aside", TEN)));
    expect(repaired).toMatchObject({ state: "ready", chunks: { total: 10, embedded: 1, skipped: 9 } });
    expect(withoutProbes(embedded)).toEqual(["Ferry number 7 leaves at 7 o'clock."]);
  });

  it("keeps what is committed when the provider goes away, and goes on from there", async () => {
    let calls = 0;
    const refuse = (text: string) =>
      text.startsWith("Ferry") && ++calls > 6 ? new EmbError("EMB_PROVIDER_UNAVAILABLE", "no answer", { hint: "-" }) : null;
    const source = sourceOf("test:away", TEN);
    await expect(reingest(await setup("away", source, { refuse }))).rejects.toMatchObject({ code: "EMB_PROVIDER_UNAVAILABLE" });
    const committed = withoutProbes(embedded).length;
    const report = await reingest(await setup("away", source));
    expect(report).toMatchObject({ state: "ready", resumed: true, intake: null, chunks: { total: 10, embedded: 10 } });
    expect(committed).toBe(6);
    expect(withoutProbes(embedded)).toHaveLength(4);
  });

  it("stops on abort, gives its shard back, and the same call finishes", async () => {
    const stop = new AbortController();
    const source = sourceOf("test:abort", TEN);
    const onProgress = (progress: Progress) => {
      if (progress.kind === "fill" && progress.documents >= 3) stop.abort(new Error("stopped by hand"));
    };
    await expect(reingest(await setup("abort", source, { signal: stop.signal, onProgress }))).rejects.toThrow("stopped by hand");
    const report = await reingest(await setup("abort", source));
    expect(report).toMatchObject({ state: "ready", resumed: true, chunks: { total: 10 }, verification: { driftPct: 0 } });
  });

  it("fills a second profile beside the first without touching it", async () => {
    const source = sourceOf("test:beside", TEN);
    await reingest(await setup("beside", source));
    const second = await reingest(await setup("beside", source, { profile: "two" }));
    expect(second).toMatchObject({ state: "ready", namespace: "beside_two", chunks: { total: 10, embedded: 10 } });
    expect((await store.namespaces.list("beside")).map(({ namespace, state }) => [namespace, state])).toEqual([
      ["beside_one", "ready"],
      ["beside_two", "ready"],
    ]);
  });

  it("refuses a second profile in mode none before anything is embedded", async () => {
    const source = sourceOf("test:none", TEN);
    await reingest(await setup("none", source, { mode: "none" }));
    const refused = reingest(await setup("none", source, { mode: "none", profile: "two" }));
    await expect(refused).rejects.toMatchObject({ code: "EMB_NAMESPACE_OCCUPIED" });
    expect(embedded).toEqual([]);
  });

  it("refuses another namespace mode on the same base", async () => {
    const source = sourceOf("test:mode", TEN);
    await reingest(await setup("mode", source));
    await expect(reingest(await setup("mode", source, { mode: "version" }))).rejects.toMatchObject({ code: "EMB_NAMESPACE_MODE_MISMATCH" });
  });

  it("refuses an empty source and leaves what is stored", async () => {
    await reingest(await setup("empty", sourceOf("test:empty", TEN)));
    await expect(reingest(await setup("empty", sourceOf("test:empty", {})))).rejects.toMatchObject({ code: "EMB_SOURCE_EMPTY" });
    expect(await store.documents.count("empty")).toEqual({ live: 10, deleted: 0 });
  });

  it("keeps an empty document, without chunks", async () => {
    const report = await reingest(await setup("blank", sourceOf("test:blank", { "a.txt": "Ferry", "b.txt": " \n " })));
    expect(report).toMatchObject({ state: "ready", documents: 2, intake: { empty: 1 }, chunks: { total: 1 } });
  });

  it("names the other source when a run of it is not finished", async () => {
    const away = () => new EmbError("EMB_PROVIDER_UNAVAILABLE", "no answer", { hint: "-" });
    const refuse = (text: string) => (text.startsWith("Ferry") ? away() : null);
    await expect(reingest(await setup("busy", sourceOf("test:busy-a", TEN), { refuse }))).rejects.toThrow("no answer");
    await expect(reingest(await setup("busy", sourceOf("test:busy-b", TEN)))).rejects.toMatchObject({ code: "EMB_RUN_ACTIVE" });
  });
}, 120_000);
