import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { expect } from "vitest";
import { isEmbError, parseManifest, providerVariables, type Limits, type Profile, type Side } from "@emb/manifest";
import { createProvider } from "../src/factory.js";
import type { HttpTuning } from "../src/http/http-tuning.js";
import { profileOf } from "../src/profile.test-data.js";
import type { EmbeddingProvider, Embeddings } from "../src/provider.js";
import type { ProviderEvent } from "../src/provider-events.js";
import type { Loopback, LoopbackService } from "./loopback.js";
import { PROTOCOLS, type ProtocolId } from "./loopback/protocols.js";
import { vectorOf } from "./loopback/vectors.js";

/** Looked for in every message, header and event of every test. */
export const KEY = "sk-loopback-9f8e7d6c5b4a39281706";

const MANIFEST = new URL("../../../config/embedding_profiles.yaml", import.meta.url);

/** What one protocol's profile is in the shipped manifest, and where its address ends. */
const ROWS: Readonly<Record<ProtocolId, { readonly profile: string | null; readonly path: string }>> = {
  "jina-ai": { profile: "jina_v3", path: "/v1" },
  "bge-m3-service": { profile: "bge_m3", path: "" },
  openai: { profile: "openai_3_small", path: "/v1" },
  "openai-compatible": { profile: null, path: "/v1" },
  cohere: { profile: "cohere", path: "" },
  voyage: { profile: "voyage", path: "/v1" },
  tei: { profile: "tei_e5_small", path: "" },
  ollama: { profile: "ollama_nomic", path: "" },
};

const ownServer = profileOf({
  name: "own_server",
  provider: "openai-compatible",
  modelId: "own/model",
  requirements: ["OPENAI_COMPATIBLE_URL"],
  tokenizer: { backend: "huggingface", modelId: "own/model" },
  limits: { maxBatchItems: 64 },
});

/** The shipped profile of a protocol; for openai-compatible, which has none, one of our own. */
export async function shippedProfile(protocol: ProtocolId): Promise<Profile> {
  const { profile: name } = ROWS[protocol];
  if (name === null) return ownServer;
  const reading = parseManifest(await readFile(MANIFEST, "utf8"), { file: "embedding_profiles.yaml" });
  const profile = reading.ok ? reading.manifest.profiles.get(name) : undefined;
  if (profile === undefined) throw new Error(`no profile ${name} in the shipped manifest`);
  return profile;
}

type ProfileChanges = Partial<Omit<Profile, "limits">> & { readonly limits?: Partial<Limits> };

/** Small vectors, of a width that the service can give. */
export async function smallProfile(protocol: ProtocolId, changes: ProfileChanges = {}): Promise<Profile> {
  const shipped = await shippedProfile(protocol);
  const dims = protocol === "voyage" ? 256 : 32;
  return { ...shipped, dims, ...changes, limits: { ...shipped.limits, ...changes.limits } };
}

/** Gives up after a moment, so that a test ends. */
export const IMPATIENT: Partial<HttpTuning> = {
  timeoutMs: { query: 10_000, document: 10_000 },
  retries: { query: 1, document: 2 },
  maxRateLimitWaitMs: { query: 200, document: 500 },
  backoff: { firstDelayMs: 5, maxDelayMs: 50 },
  breaker: { failures: 1_000, openMs: 50, maxOpenMs: 200 },
};

/** Waits as long as it is told, in no time: the clock is moved instead. */
export function virtualWaiting(): Pick<HttpTuning, "nowMs" | "sleep"> & { readonly waits: number[] } {
  const waits: number[] = [];
  let aheadMs = 0;
  return {
    waits,
    nowMs: () => performance.now() + aheadMs,
    sleep: async (ms, signal) => {
      waits.push(ms);
      const untilMs = performance.now() + aheadMs + ms;
      await nextTurn();
      signal.throwIfAborted();
      aheadMs = Math.max(aheadMs, untilMs - performance.now());
    },
  };
}

export interface Hosted {
  readonly profile: Profile;
  readonly provider: EmbeddingProvider;
  readonly service: LoopbackService;
  readonly events: ProviderEvent[];
  /** The vector that the service gives this text on this side. */
  expected(text: string, side?: Side): Float32Array;
}

export interface HostedSettings {
  readonly tuning?: Partial<HttpTuning>;
  readonly modelsDir?: string;
  /** What the service runs, when it is not the profile's model. */
  readonly servedModel?: string;
}

/** A provider of the factory, and the loopback service behind it. */
export async function openHosted(
  loopback: Loopback,
  protocol: ProtocolId,
  profile: Profile,
  { tuning = IMPATIENT, modelsDir, servedModel = profile.modelId }: HostedSettings = {},
): Promise<Hosted> {
  const { url, key } = providerVariables(protocol);
  // cl100k counts words alone, the loopback services two tokens more.
  const maxInputTokens = profile.limits.maxInputTokens + (profile.tokenizer.backend === "tiktoken" ? 2 : 0);
  const service = await loopback.open({
    protocol,
    key: KEY,
    model: { id: servedModel, dims: profile.dims, maxInputTokens },
  });
  const events: ProviderEvent[] = [];
  const provider = await createProvider(profile, {
    env: {
      ...(url !== undefined && { [url]: service.origin + ROWS[protocol].path }),
      ...(key !== undefined && { [key]: KEY }),
    },
    dataDir: tmpdir(),
    modelsDir,
    http: tuning,
    observer: (event) => void events.push(event),
  });
  const { prompts, tasks, dims } = profile;
  return {
    profile,
    provider,
    service,
    events,
    expected: (text, side = "document") =>
      vectorOf(prompts[side] + text, tasks[side] ?? "", dims, PROTOCOLS[protocol].norm),
  };
}

export const live = { signal: new AbortController().signal };

/** Distinct, of different lengths. */
export const textsOf = (count: number, word = "text"): string[] =>
  Array.from({ length: count }, (_, i) => `${word} number ${i}${" and more".repeat(i % 3)}`);

/** Every text has its own vector, in order. */
export function expectRight(
  { dense, count, dims }: Embeddings,
  texts: readonly string[],
  hosted: Hosted,
  side: Side = "document",
) {
  expect([count, dims, dense.length]).toEqual([texts.length, hosted.profile.dims, texts.length * dims]);
  const wrong = texts.filter((text, i) => {
    const vector = hosted.expected(text, side);
    return !vector.every((value, j) => Object.is(value, dense[i * dims + j]));
  });
  expect(wrong).toEqual([]);
}

/** No trace of the key, whatever is printed of the value: message, hint, context, causes, stack. */
export function expectNoKey(value: unknown): void {
  const shown = `${inspect(value, { depth: Infinity, showHidden: true, getters: true })} ${JSON.stringify(value)} ${String(value)}`;
  expect(shown.includes(KEY)).toBe(false);
  if (value instanceof Error) {
    expect(`${value.message} ${value.stack}`.includes(KEY)).toBe(false);
    if (value.cause !== undefined) expectNoKey(value.cause);
  }
}

/** The error of a call that must fail; with its code and context, and without the key. */
export async function failureOf(call: Promise<unknown>) {
  const error: unknown = await call.then(
    () => {
      throw new Error("the call was answered");
    },
    (reason: unknown) => reason,
  );
  expectNoKey(error);
  if (!isEmbError(error)) throw error;
  return error;
}

/** Closes the provider. Then nothing of it is left at the service, and no event has told the key. */
export async function closeAndCheck({ provider, service, events }: Hosted): Promise<void> {
  expectNoKey(events);
  await provider.close();
  for (let tries = 0; tries < 100 && (await service.report()).openSockets > 0; tries++) await sleep(20);
  expect(await service.report()).toMatchObject({ openSockets: 0, inFlight: 0 });
  await service.close();
}

/** A models folder whose tokenizers count as the loopback services do: one token for each word, and two around a text. */
export async function wordTokenizers(
  modelIds: readonly string[],
): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "emb-hosted-"));
  const special = (id: string, number: number) => ({ [id]: { id, ids: [number], tokens: [id] } });
  const json = {
    version: "1.0",
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "<s>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "</s>", type_id: 0 } },
      ],
      pair: [],
      special_tokens: { ...special("<s>", 1), ...special("</s>", 2) },
    },
    decoder: null,
    model: { type: "WordLevel", vocab: { "<unk>": 0, "<s>": 1, "</s>": 2, word: 3 }, unk_token: "<unk>" },
  };
  for (const modelId of modelIds) {
    await mkdir(join(dir, modelId), { recursive: true });
    await writeFile(join(dir, modelId, "tokenizer.json"), JSON.stringify(json));
  }
  return { dir, remove: () => rm(dir, { recursive: true }) };
}
