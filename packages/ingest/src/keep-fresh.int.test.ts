import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbError, parseManifest } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import { createEmbeddedDriver, openPostgresStore, type NamespaceRecord, type Store } from "@emb/store";
import { documentHash } from "./content-hash.js";
import { createChunker } from "./document-chunker.js";
import { drainChanges, openDrain, type ChangeDrain } from "./keep-fresh.js";
import { openTarget, targetAddress } from "./open-target.js";
import { setAsideTexts } from "./set-aside-texts.js";
import { createPlainTokenizer } from "./testing/plain-tokenizer.js";

const DIMS = 4;
const MANIFEST = `profiles:
  hash:
    provider: openai-compatible
    model_id: hash
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true }
    requirements: []
    price_per_million_tokens: 2
`;
const vectorOf = (text: string) =>
  [...createHash("sha256").update(text).digest().subarray(0, DIMS)].map((byte) => byte + 1);
const rejected = new EmbError("EMB_PROVIDER_REJECTED", "the request was refused", { hint: "-" });

let store: Store;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "emb-fresh-"));
  store = await openPostgresStore(await createEmbeddedDriver({ directory: join(dataDir, "postgres") }));
}, 60_000);
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

let bases = 0;

/** A ready-made namespace with these documents waiting for it, and a drain whose model answers as `embed` says. */
async function waiting(texts: Readonly<Record<string, string>>) {
  const base = `fresh${bases++}`;
  const reading = parseManifest(MANIFEST, { file: "manifest.yaml" });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const profile = reading.manifest.profiles.get("hash")!;
  const model = {
    refuses: (_text: string): boolean => false,
    tokens: (): number | null => 5,
    diesAfterAnswer: false,
  };
  const embed: EmbeddingProvider["embedDocuments"] = async (asked, options) => {
    if (asked.some(model.refuses)) throw rejected;
    options.onAnswered?.(asked, model.tokens());
    if (model.diesAfterAnswer) throw new EmbError("EMB_PROVIDER_UNAVAILABLE", "gone", { hint: "-" });
    return {
      dense: Float32Array.from(asked.flatMap(vectorOf)),
      count: asked.length,
      dims: DIMS,
      tokens: model.tokens(),
    };
  };
  const provider: EmbeddingProvider = {
    profile,
    close: async () => {},
    embedQueries: embed,
    embedDocuments: embed,
  };
  const signal = new AbortController().signal;
  const plain = createChunker({ maxTokens: 40, countTokens: (text) => text.length / 4 });
  const chunker = {
    ...plain,
    chunk(document: Parameters<typeof plain.chunk>[0]) {
      if (document.text.includes("unchunkable")) throw new TypeError(`cannot read ${document.text}`);
      return plain.chunk(document);
    },
  };
  const address = targetAddress({ base, mode: "profile", provider, store });
  const record = await openTarget({ store, provider, chunker, signal }, address);
  for (const [id, text] of Object.entries(texts)) await put(base, id, text);
  const drain = await openDrain(
    { store, provider, chunker, tokenizer: createPlainTokenizer(), leaseMs: 60_000, witnessMinCosine: 0.999, signal },
    record,
  );
  return { base, record, drain, model };
}

async function put(base: string, id: string, text: string): Promise<void> {
  const content = { title: null, format: "text" as const, text, metadata: {} };
  const document = { id, ...content, contentHash: documentHash(content), version: await store.documents.nextVersion() };
  await store.documents.put({ base, source: "put", document });
}

const states = async ({ id }: NamespaceRecord, ids: readonly string[]) =>
  Object.fromEntries((await store.changes.find(id, ids)).map(({ documentId, state }) => [documentId, state]));
const codeOf = (drain: ChangeDrain) =>
  drainChanges(drain).then(
    () => null,
    (error: unknown) => (error instanceof EmbError ? error.code : "other"),
  );

describe("changes of which one cannot be shown", () => {
  const ids = Array.from({ length: 9 }, (_, place) => `d${place}`);
  const texts = Object.fromEntries(ids.map((id) => [id, `Ferry ${id} leaves.`]));

  it("are shown without it; it is set aside, named without its text, and shown once it is repaired", async () => {
    const { base, record, drain } = await waiting({ ...texts, d4: "an unchunkable secret" });
    expect(await drainChanges(drain)).toEqual({ written: 8, setAside: 1, postponed: 0, stopped: null });
    expect(await states(record, ids)).toEqual({ d4: "set_aside" });
    const named = { documentId: "d4", ordinal: null, code: "EMB_INTERNAL", reason: "TypeError" };
    expect(await setAsideTexts(store, { runId: null, namespaceId: record.id, limit: 10 })).toEqual([named]);
    await put(base, "d4", "Ferry d4 leaves.");
    expect((await drainChanges(drain)).written).toBe(1);
    expect(await states(record, ids)).toEqual({});
  });

  it("are shown without those that the provider refuses, whoever else waits", async () => {
    const { record, drain, model } = await waiting({ ...texts, d0: "poison", d8: "more poison" });
    model.refuses = (text) => text.includes("poison");
    expect(await drainChanges(drain)).toMatchObject({ written: 7, setAside: 2, postponed: 0 });
    expect(await states(record, ids)).toEqual({ d0: "set_aside", d8: "set_aside" });
  });

  it("all wait when the model refuses whatever it is asked: no text is to blame", async () => {
    // other texts than above: vectors of the same space are copied, not asked for
    const { record, drain, model } = await waiting(Object.fromEntries(ids.map((id) => [id, `Tram ${id} stops.`])));
    model.refuses = () => true;
    expect(await codeOf(drain)).toBe("EMB_PROVIDER_REJECTED");
    expect(Object.values(await states(record, ids))).toEqual(ids.map(() => "queued"));
  });
});

describe("what changes take", () => {
  const spend = async ({ id }: NamespaceRecord) =>
    (await store.changes.spend()).find(({ namespaceId }) => namespaceId === id);

  it("is in the ledger, as the service says or else as the tokenizer counts, also after a failure", async () => {
    const { base, record, drain, model } = await waiting({ a: "Boat a sails.", b: "Boat b sails." });
    await drainChanges(drain);
    expect(await spend(record)).toEqual({
      namespaceId: record.id,
      texts: 2,
      tokens: 5,
      costUsd: expect.closeTo(1e-5, 9),
    });
    model.tokens = () => null;
    await put(base, "a", "Boat a sinks.");
    await drainChanges(drain);
    const counted = createPlainTokenizer().countTokens("Boat a sinks.").estimate;
    expect(await spend(record)).toMatchObject({ texts: 3, tokens: 5 + counted });
    model.tokens = () => 7;
    model.diesAfterAnswer = true;
    await put(base, "b", "Boat b sinks.");
    expect(await codeOf(drain)).toBe(null); // put off
    expect(await spend(record)).toMatchObject({ texts: 4, tokens: 5 + counted + 7 });
    await put(base, "b", "Boat b sails.");
    model.diesAfterAnswer = false;
    await drainChanges(drain);
    expect(await spend(record)).toMatchObject({ texts: 4 }); // its vector was there
  });
});
