import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "@emb/config";
import {
  createChunker,
  decideRollback,
  documentHash,
  reingest,
  verifyNamespace,
  type Chunker,
  type ReingestReport,
  type RollbackDecision,
  type Verification,
} from "@emb/ingest";
import { fingerprint, namespaceName, spaceId, type NamespaceMode, type Profile } from "@emb/manifest";
import { createProvider, createTokenizer, type Tokenizer } from "@emb/providers";
import { openSearch, type Search } from "@emb/search";
import { openEmbeddedStore, type NamespaceAddress, type NamespaceReader, type Store } from "@emb/store";
import { readHandbook, type Handbook } from "./handbook.js";
import { meterProvider, type MeteredProvider } from "./metered-provider.js";

export const ACTOR = "matrix";
/** Few, so that eight documents make several shards. */
const SHARD_DOCUMENTS = 3;

export interface Model {
  readonly profile: Profile;
  readonly provider: MeteredProvider;
  readonly tokenizer: Tokenizer;
  readonly chunker: Chunker;
}

/** A base of its own for each cell, in the cell's mode. */
export interface Place {
  readonly base: string;
  readonly mode: NamespaceMode;
}

/** The database and the models that all cells share, put together as an app's main does. */
export interface Deployment {
  readonly store: Store;
  readonly handbook: Handbook;
  /** Opened with the first call for its profile. */
  model(profile: Profile): Promise<Model>;
  /** Texts that any model was given so far. */
  textsEmbedded(): number;
  address(place: Place, profile: Profile): NamespaceAddress;
  fill(place: Place, model: Model): Promise<ReingestReport>;
  reader(place: Place, profile: Profile): Promise<NamespaceReader>;
  search(place: Place, model: Model): Promise<Search>;
  verify(place: Place, model: Model): Promise<Verification>;
  /** As `emb rollback --to` decides. */
  rollback(place: Place, profile: Profile, options?: { acceptStale: boolean }): Promise<RollbackDecision>;
  /** A newer text of one document arrives in the system of record. */
  changeDocument(place: Place): Promise<void>;
  close(): Promise<void>;
}

export async function openDeployment(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Deployment> {
  const { signal } = new AbortController();
  const dataDir = await mkdtemp(join(tmpdir(), "emb-matrix-"));
  const store = await openEmbeddedStore({ dataDir });
  const handbook = await readHandbook(settings.ingest);
  const models = new Map<string, Promise<Model>>();
  const providers: MeteredProvider[] = [];

  const openModel = async (profile: Profile): Promise<Model> => {
    const access = { env, dataDir, modelsDir: settings.paths.modelsDir ?? undefined };
    const tokenizer = await createTokenizer(profile, access);
    const provider = meterProvider(await createProvider(profile, access));
    providers.push(provider);
    const maxTokens = Math.min(settings.ingest.chunkTokens, profile.limits.maxInputTokens);
    return {
      profile,
      provider,
      tokenizer,
      chunker: createChunker({ maxTokens, countTokens: (text) => tokenizer.countTokens(text).tokens }),
    };
  };

  const address = ({ base, mode }: Place, profile: Profile): NamespaceAddress => ({
    ...namespaceName({ base, profile, mode, maxLength: store.capabilities.maxNamespaceBytes }),
    mode,
  });

  const reader = (place: Place, profile: Profile) =>
    store.namespaces.openReader(
      address(place, profile),
      { profile: profile.name, spaceId: spaceId(profile), fingerprint: fingerprint(profile), dims: profile.dims },
      { strict: true },
    );

  return {
    store,
    handbook,
    address,
    reader,
    textsEmbedded: () => providers.reduce((sum, provider) => sum + provider.texts(), 0),

    model: (profile) => {
      const open = models.get(profile.name) ?? openModel(profile);
      models.set(profile.name, open);
      return open;
    },

    fill: (place, { provider, tokenizer, chunker }) =>
      reingest({
        ...place,
        store,
        provider,
        tokenizer,
        chunker,
        source: handbook.source,
        commitRows: settings.ingest.commitRows,
        shardDocuments: SHARD_DOCUMENTS,
        leaseMs: settings.ingest.leaseMs,
        limits: settings.verify,
        acceptFailures: 0,
        actor: ACTOR,
        newRunId: randomUUID,
        nowMs: () => performance.now(),
        onProgress: () => {},
        signal,
        sleep: (ms, stop) => sleep(ms, undefined, { signal: stop }),
      }),

    search: (place, { provider }) =>
      openSearch({
        namespaces: store.namespaces,
        address: address(place, provider.profile),
        provider,
        strict: true,
        signal,
      }),

    verify: async (place, { provider, chunker, profile }) =>
      verifyNamespace({
        documents: store.documents,
        reader: await reader(place, profile),
        provider,
        chunker,
        setAside: [],
        acceptFailures: 0,
        limits: settings.verify,
        signal,
      }),

    rollback: async (place, profile, { acceptStale } = { acceptStale: false }) => {
      const record = await store.namespaces.find(address(place, profile));
      const lag =
        record === null ? 0 : await (await store.namespaces.openReader(record, record.seal, { strict: true })).lag();
      const runs = await store.runs.list({ base: place.base });
      return decideRollback({
        to: profile.name,
        record,
        lag,
        acceptStale,
        runs,
        expectedFingerprint: fingerprint(profile),
      });
    },

    changeDocument: async ({ base }) => {
      const [document] = handbook.documents;
      const changed = {
        ...document!,
        text: `${document!.text}\n\nFrom next month on the rules above change.\n`,
        metadata: {},
      };
      const version = await store.documents.nextVersion();
      await store.documents.intake({
        base,
        runId: randomUUID(),
        source: handbook.source.identity,
        documents: [{ ...changed, version, contentHash: documentHash(changed) }],
      });
    },

    close: async () => {
      for (const provider of providers) await provider.close();
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
