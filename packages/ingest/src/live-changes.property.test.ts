import { createHash } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { EmbError, parseManifest, type Profile } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import { createEmbeddedDriver, openPostgresStore, type NamespaceRecord, type SqlDriver, type Store } from "@emb/store";
import { createCommitPace } from "./commit-pace.js";
import { createChunker } from "./document-chunker.js";
import { documentHash } from "./content-hash.js";
import { fillShard } from "./fill-shard.js";
import { drainChanges, openDrain } from "./keep-fresh.js";
import { createLiveMeter } from "./live-meter.js";
import { openTarget, targetAddress } from "./open-target.js";
import { RecentVectors } from "./recent-vectors.js";
import { createPlainTokenizer } from "./testing/plain-tokenizer.js";

const DIMS = 4;
const IDS = ["a", "b", "c", "d"];
const PROFILES = ["one", "two"];
const OWN_VERSIONS = 4;
const MANIFEST = `profiles:
${PROFILES.map(
  (name) => `  ${name}:
    provider: openai-compatible
    model_id: hash/${name}
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true }
    requirements: []
`,
).join("")}`;

type Crash = "no" | "embedding" | "before the write" | "after the write";
/** What happens while a model is asked: outside of any transaction. */
type Live =
  | { readonly do: "put"; readonly id: string; readonly own: number | null; readonly again: boolean }
  | { readonly do: "delete"; readonly id: string; readonly own: number | null; readonly erase: boolean }
  | { readonly do: "intake"; readonly ids: readonly string[]; readonly own: number | null; readonly again: boolean };
type Step =
  | Live
  | { readonly do: "begin run"; readonly of: number }
  | { readonly do: "cut" }
  | { readonly do: "fill"; readonly crash: Crash; readonly meanwhile: readonly Live[] }
  | { readonly do: "drain"; readonly of: number; readonly crash: Crash; readonly meanwhile: readonly Live[] };

const id = fc.constantFrom(...IDS);
const own = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: OWN_VERSIONS }) },
);
const live: fc.Arbitrary<Live> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("put" as const), id, own, again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), id, own, erase: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("intake" as const),
      ids: fc.subarray(IDS, { minLength: 1 }),
      own,
      again: fc.boolean(),
    }),
  },
);
const crash = fc.constantFrom<Crash>("no", "no", "no", "embedding", "before the write", "after the write");
const meanwhile = fc.array(live, { maxLength: 2 });
const of = fc.nat(PROFILES.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: live },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("begin run" as const), of }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fill" as const), crash, meanwhile }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("drain" as const), of, crash, meanwhile }) },
);

let store: Store;
let driver: SqlDriver;
let dataDir: string;
let profiles: readonly Profile[];
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "emb-live-"));
  await cp(join(inject("smallWorldTemplate"), "postgres"), join(dataDir, "postgres"), { recursive: true });
  driver = await createEmbeddedDriver({ directory: join(dataDir, "postgres") });
  store = await openPostgresStore(driver);
  const reading = parseManifest(MANIFEST, { file: "manifest.yaml" });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  while ((await store.documents.nextVersion()) < OWN_VERSIONS) {} // so that the two lines have no number in common
  profiles = PROFILES.map((name) => reading.manifest.profiles.get(name)!);
}, 60_000);
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

const crashed = new EmbError("EMB_PROVIDER_UNAVAILABLE", "the process dies here", { hint: "-" });
const vectorOf = (text: string) =>
  [...createHash("sha256").update(text).digest().subarray(0, DIMS)].map((byte) => byte + 1);

let bases = 0;

async function play(steps: readonly Step[]): Promise<void> {
  const base = `live${bases++}`;
  const signal = new AbortController().signal;
  const chunker = createChunker({ maxTokens: 40, countTokens: (text) => text.length / 4 });
  let onEmbed: () => Promise<void> = async () => {};
  const providerOf = (profile: Profile): EmbeddingProvider => {
    const embed = async (texts: readonly string[]) => ({
      dense: Float32Array.from(texts.flatMap(vectorOf)),
      count: texts.length,
      dims: DIMS,
      tokens: texts.length,
    });
    return {
      profile,
      close: async () => {},
      embedQueries: embed,
      async embedDocuments(texts) {
        if (texts.some((text) => text.includes("written"))) await onEmbed(); // not for the seal's probes
        return embed(texts);
      },
    };
  };
  const spaces = await Promise.all(
    profiles.map(async (profile) => {
      const provider = providerOf(profile);
      const address = targetAddress({ base, mode: "profile", provider, store });
      return { provider, record: await openTarget({ store, provider, chunker, signal }, address) };
    }),
  );

  /** The n-th write that the store took, for each document; its text names n, so that a chunk tells which write it shows. */
  const writes = new Map<string, { n: number; live: boolean; text: string }>();
  const newestShown = new Map<string, number>();
  const filled = new Set<number>();
  /** The highest version of the caller's since the document's last change without one. */
  const highestOwn = new Map<string, number>();
  let texts = 0;
  let run: { id: string; version: bigint; of: number; cut: boolean } | null = null;

  const content = (text: string) => {
    const body = { title: null, format: "text" as const, text, metadata: {} };
    return { ...body, contentHash: documentHash(body) };
  };
  const versioned = (documentId: string, given: number | null) => {
    if (given === null) highestOwn.delete(documentId);
    else highestOwn.set(documentId, given);
  };
  const accept = (documentId: string, change: { live: boolean; text: string }) =>
    writes.set(documentId, { n: Number(/\d+/.exec(change.text)?.[0] ?? texts), ...change });

  const act = async (next: Live): Promise<void> => {
    if (next.do === "put") {
      const now = writes.get(next.id);
      const text = next.again && now?.live ? now.text : `${next.id} written ${++texts}`;
      const version = next.own === null ? await store.documents.nextVersion() : BigInt(next.own);
      const document = { id: next.id, ...content(text), version, ownVersion: next.own !== null };
      const { state } = await store.documents.put({ base, source: "put", document });
      if (next.own === null)
        expect(state).toBe(next.again && now?.live ? "unchanged" : "stored"); // drawn now: nothing is newer
      else if (next.own < (highestOwn.get(next.id) ?? 0)) expect(state, "below the highest").toBe("superseded");
      if (state !== "superseded") versioned(next.id, next.own);
      if (state === "stored") accept(next.id, { live: true, text });
    } else if (next.do === "delete") {
      const version = next.own === null ? await store.documents.nextVersion() : BigInt(next.own);
      const { state } = await store.documents.delete({
        base,
        documentId: next.id,
        version,
        ownVersion: next.own !== null,
        erase: next.erase,
      });
      if (next.own === null) expect(state).toBe(writes.get(next.id)?.live ? "deleted" : "absent");
      if (state !== "superseded") versioned(next.id, next.own);
      if (state === "deleted") accept(next.id, { live: false, text: "" });
    } else if (run !== null) {
      const { id: runId } = run;
      const version = next.own === null ? run.version : BigInt(next.own);
      for (const documentId of next.ids) {
        const now = writes.get(documentId);
        const again = next.again && now?.live === true;
        const text = again ? now.text : `${documentId} written ${++texts}`;
        const incoming = [{ id: documentId, ...content(text), version, ownVersion: next.own !== null }];
        const { differing } = await store.documents.compare({
          base,
          source: "folder",
          documents: incoming,
          walkedThrough: null,
        });
        const counts = await store.documents.intake({ base, runId, source: "folder", documents: differing });
        const taken = counts.created + counts.changed === 1;
        if (again) expect(taken, "stored already").toBe(false);
        if (taken) accept(documentId, { live: true, text });
        if (taken && next.own === null) versioned(documentId, null);
        // what a live write drew after the run began outranks the run, also where the content is the same
        const [stored] = await store.documents.read({ base, after: null, through: null, limit: 1, ids: [documentId] });
        if (next.own !== null && stored?.version === version && (taken || again)) versioned(documentId, next.own);
      }
    }
  };

  /** Lets live changes happen, and the process die, where a model is asked or a batch is written. */
  const disturbed = async (
    { crash: how, meanwhile: changes }: { crash: Crash; meanwhile: readonly Live[] },
    work: (breaking: <T>(write: () => Promise<T>) => Promise<T>) => Promise<unknown>,
  ) => {
    onEmbed = async () => {
      onEmbed = async () => {};
      for (const change of changes) await act(change);
      if (how === "embedding") throw crashed;
    };
    const breaking = async <T>(write: () => Promise<T>): Promise<T> => {
      if (how === "before the write") throw crashed;
      const written = await write();
      if (how === "after the write") throw crashed;
      return written;
    };
    await work(breaking).catch((error: unknown) => {
      if (error !== crashed) throw error;
    });
    onEmbed = async () => {};
  };

  const drain = (n: number, how: { crash: Crash; meanwhile: readonly Live[] }) =>
    disturbed(how, async (breaking) => {
      const { provider, record } = spaces[n]!;
      const opened = await openDrain(
        {
          store,
          provider,
          chunker,
          tokenizer: createPlainTokenizer(),
          leaseMs: 60_000,
          witnessMinCosine: 0.999,
          signal,
        },
        record,
      );
      const { writer } = opened;
      await drainChanges({
        ...opened,
        writer: { ...writer, writeChanges: (batch) => breaking(() => writer.writeChanges(batch)) },
      });
    });

  const fill = (how: { crash: Crash; meanwhile: readonly Live[] }) =>
    disturbed(how, async (breaking) => {
      if (run === null || !run.cut) return;
      const { provider, record } = spaces[run.of]!;
      const lease = await store.runs.claimShard(run.id, { owner: "test", leaseMs: 60_000 });
      if (lease === null) return;
      const writer = await store.namespaces.openWriter(record, { ...record.seal });
      await fillShard({
        runs: store.runs,
        writer: { ...writer, writeBatch: (batch) => breaking(() => writer.writeBatch(batch)) },
        lease,
        chunker,
        meter: createLiveMeter({
          changes: store.changes,
          namespaceId: record.id,
          provider,
          tokenizer: createPlainTokenizer(),
        }),
        sameSpace: [],
        recent: new RecentVectors(1_000),
        own: null,
        pace: createCommitPace({ commitRows: 1, nowMs: () => 0 }),
        signal,
        onCommit: () => {},
      });
    });

  const perform = async (next: Step): Promise<void> => {
    if (next.do === "begin run") {
      run = { id: `${base}-${texts++}`, version: await store.documents.nextVersion(), of: next.of, cut: false };
      const { record } = spaces[next.of]!;
      filled.add(next.of);
      const { id: runId, version } = run;
      await store.runs.create({
        id: runId,
        base,
        namespaceId: record.id,
        profile: record.seal.profile,
        source: "folder",
        version,
      });
      await store.runs.transition(runId, { from: ["plan"], to: "fill" });
    } else if (next.do === "cut") {
      if (run !== null) await store.runs.cutShards(run.id, 2);
      if (run !== null) run.cut = true;
    } else if (next.do === "fill") await fill(next);
    else if (next.do === "drain") await drain(next.of, next);
    else if (next.do !== "intake" || run?.cut !== true) await act(next); // a run reads its source before it is cut
  };

  const shown = async ({ record }: { record: NamespaceRecord }) => {
    const { rows } = await driver.query(
      `SELECT document_id, text FROM emb.ns_${record.id} ORDER BY document_id, ordinal`,
    );
    return rows.map((row) => [String(row["document_id"]), String(row["text"])] as const);
  };
  const checkAlways = async () => {
    for (const [n, space] of spaces.entries()) {
      for (const [documentId, text] of await shown(space)) {
        const write = writes.get(documentId);
        expect(write?.live, `${documentId} is deleted and shown`).toBe(true);
        const seen = Number(/\d+$/.exec(text)?.[0]);
        const key = `${n} ${documentId}`;
        expect(seen, "newer than the document").toBeLessThanOrEqual(write!.n);
        expect(seen, "an older chunk over a newer one").toBeGreaterThanOrEqual(newestShown.get(key) ?? 0);
        newestShown.set(key, seen);
      }
    }
  };

  for (const next of steps) {
    await perform(next);
    await checkAlways();
  }

  // runs end here, unfinished; a namespace that had none must have everything queued already
  for (const n of filled) await store.changes.queuePending(spaces[n]!.record.id);
  await driver.query("UPDATE emb.changes SET claimed_until = NULL"); // waits are over: the database's clock cannot be moved
  for (const n of spaces.keys()) await drain(n, { crash: "no", meanwhile: [] });
  await checkAlways();
  const expected = [...writes]
    .filter(([, write]) => write.live)
    .map(([documentId, { text }]) => [documentId, text])
    .toSorted((x, y) => (x[0]! < y[0]! ? -1 : 1));
  for (const space of spaces) {
    expect(await shown(space)).toEqual(expected);
    const reader = await store.namespaces.openReader(space.record, space.record.seal, { strict: true });
    expect(await reader.lag()).toBe(0);
    expect((await store.changes.counts()).filter(({ namespaceId }) => namespaceId === space.record.id)).toEqual([]);
    await store.namespaces.retire(space.record.id);
  }
}

it("live changes, fills, drains and deaths in any order leave every namespace with exactly the live documents", async () => {
  const seed = Number(process.env["LIVE_CHANGES_SEED"] ?? Date.now() % 2 ** 31);
  process.stderr.write(`live changes: seed ${seed}; LIVE_CHANGES_SEED=${seed} replays it\n`);
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 24 }), play), { seed, numRuns: 30 });
}, 300_000);
