import { randomUUID } from "node:crypto";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { EmbError } from "@emb/manifest";
import { createProvider, createTokenizer, type EmbeddingProvider, type Tokenizer } from "@emb/providers";
import { createEmbeddedDriver, openPostgresStore, type SqlValue, type Store } from "@emb/store";
import { createChunker } from "./document-chunker.js";
import type { ReingestSetup } from "./reingest.js";
import { smallWorldProfile } from "./small-world-manifest.fixture.js";
import type { RunSource, Source, SourceItem } from "./source.js";

export const LIMITS = {
  maxDriftPct: 0,
  normTolerance: 1e-3,
  minRecall: 0.95,
  witnessMinCosine: 0.999,
  sampleQueries: 5,
};

/** Documents by id; a `SetAside` stands for itself. */
export const sourceOf = (
  identity: string,
  items: Readonly<Record<string, string | { code: "EMB_DOCUMENT_UNREADABLE"; reason: string; hidesIds?: boolean }>>,
): Source => ({
  identity,
  async *read(): AsyncGenerator<SourceItem> {
    for (const [id, item] of Object.entries(items))
      yield typeof item === "string"
        ? { kind: "document", id, title: null, format: "text", text: item, metadata: {}, version: null }
        : { kind: "set-aside", id, hidesIds: false, ...item };
  },
});

export const TEN = Object.fromEntries(
  Array.from({ length: 10 }, (_, i) => [`doc-${i}.txt`, `Ferry number ${i} leaves at ${i} o'clock.`]),
);

type Refuse = (text: string) => EmbError | null;

export interface SmallWorld {
  readonly store: Store;
  /** A statement past emb, as by the hand of somebody with access to the database. @returns rows touched */
  byHand(sql: string, params?: readonly SqlValue[]): Promise<number>;
  /** Texts of documents that the model was given since the last setup; the probe texts of seals are left out. */
  embedded(): readonly string[];
  /** A re-ingest into `base` with the real model, in a vector space of the base's own unless `space` names one; `refuse` makes it turn away a text as a service would. */
  setup(
    base: string,
    source: RunSource,
    more?: Partial<ReingestSetup> & { profile?: string; space?: string; refuse?: Refuse },
  ): Promise<ReingestSetup & { tokenizer: Tokenizer }>;
  close(): Promise<void>;
}

/** A real embedded database and the real MiniLM, for the integration tests of this package. */
export async function openSmallWorld(): Promise<SmallWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), "emb-ingest-"));
  const template = inject("smallWorldTemplate");
  await cp(join(template, "postgres"), join(dataDir, "postgres"), { recursive: true });
  await symlink(join(template, "models"), join(dataDir, "models"));
  const driver = await createEmbeddedDriver({ directory: join(dataDir, "postgres") });
  const store = await openPostgresStore(driver);
  const providers: EmbeddingProvider[] = [];
  let embedded: string[] = [];

  const modelOf = async (name: string, space: string, refuse: Refuse) => {
    const profile = smallWorldProfile(name, space);
    const inner = await createProvider(profile, { env: {}, dataDir });
    providers.push(inner);
    const tokenizer = await createTokenizer(profile, { env: {}, dataDir });
    const provider: EmbeddingProvider = {
      profile,
      close: () => inner.close(),
      embedQueries: (texts, options) => inner.embedQueries(texts, options),
      async embedDocuments(texts, options) {
        const kept: number[] = [];
        let failure: EmbError | null = null;
        for (const [index, text] of texts.entries()) {
          const error = refuse(text);
          if (error === null) kept.push(index);
          else if (options.setAside !== undefined && error.code === "EMB_PROVIDER_REJECTED")
            options.setAside(index, error);
          else {
            failure = error;
            break;
          }
        }
        const sent = kept.map((index) => texts[index]!);
        const { dense, dims, tokens } = await inner.embedDocuments(sent, options);
        embedded.push(...sent);
        if (failure !== null) throw failure; // what came before it was answered
        const all = new Float32Array(texts.length * dims).fill(Number.NaN);
        for (const [row, index] of kept.entries()) all.set(dense.subarray(row * dims, (row + 1) * dims), index * dims);
        return { dense: all, count: texts.length, dims, tokens };
      },
    };
    const chunker = createChunker({ maxTokens: 40, countTokens: (text) => tokenizer.countTokens(text).tokens });
    return { provider, tokenizer, chunker };
  };

  return {
    store,
    byHand: async (sql, params) => (await driver.query(sql, params)).affected,
    embedded: () => embedded.filter((text) => text.startsWith("Ferry")),
    async setup(base, source, { profile = "one", space = base, refuse = () => null, ...more } = {}) {
      embedded = [];
      return {
        store,
        base,
        mode: "profile",
        source,
        limits: LIMITS,
        acceptFailures: 0,
        actor: "test",
        commitRows: 100,
        shardDocuments: 3,
        leaseMs: 3e4,
        newRunId: randomUUID,
        nowMs: () => performance.now(),
        sleep: () => Promise.resolve(),
        signal: new AbortController().signal,
        onProgress: () => {},
        ...(await modelOf(profile, space, refuse)),
        ...more,
      };
    },
    async close() {
      for (const provider of providers) await provider.close();
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
