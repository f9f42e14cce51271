import { spaceId, type NamespaceMode } from "@emb/manifest";
import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type { NamespaceReader, Run, RunState, Store } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { chunkHash } from "./content-hash.js";
import { expectedSeal, targetAddress } from "./open-target.js";
import { decidePlan, type Plan, type PlanCounts } from "./plan.js";
import { UNFINISHED } from "./run-state.js";
import { SeenKeys } from "./seen-keys.js";
import { mayLend } from "./same-space.js";
import { emptySource, nothingStored } from "./source-error.js";
import type { RunSource } from "./source.js";
import { decideTarget } from "./target.js";
import { sealedChunker } from "./whole-texts.js";

const LOOK_UP_CHUNKS = 2000;
const PAGE_DOCUMENTS = 200;
const PAGE_BYTES = 4 * 1024 * 1024;
const RAN: ReadonlySet<RunState> = new Set(["index", "verify", "ready", "failed"]);

export interface PlanSetup {
  readonly store: Pick<Store, "capabilities" | "documents" | "namespaces" | "runs">;
  readonly base: string;
  readonly mode: NamespaceMode;
  /** Only its profile is asked: a plan needs no model and no key. */
  readonly provider: Pick<EmbeddingProvider, "profile">;
  readonly tokenizer: Tokenizer;
  readonly chunker: Chunker;
  readonly source: RunSource;
  readonly signal: AbortSignal;
}

/**
 * Says what `reingest` with the same source would do, and what it takes; `unfinished` is the run of the namespace that has not ended. Reads source and store; embeds and writes nothing. Memory is bounded by
 * one page, the largest document and 40 bytes for each document and each text to embed.
 * @throws EmbError EMB_NAMESPACE_MODE_MISMATCH, EMB_NAMESPACE_OCCUPIED, EMB_SEAL_MISMATCH, EMB_SOURCE_EMPTY, EMB_SOURCE_MISSING, EMB_SOURCE_INVALID,
 *   store errors; the signal's reason on abort
 */
export async function planReingest(setup: PlanSetup): Promise<Plan & { readonly unfinished: Run | null }> {
  const { store, provider, chunker, base } = setup;
  const { profile } = provider;
  const address = targetAddress(setup);
  const decision = decideTarget({
    address,
    profile,
    chunkerId: chunker.id,
    base: await store.namespaces.list(base),
    baseMode: await store.namespaces.modeOf(base),
  });
  if (decision.kind === "refused") throw decision.error;
  const reader =
    decision.kind === "reuse"
      ? await store.namespaces.openReader(decision.record, expectedSeal(profile), { strict: true })
      : null;
  const donors = await openDonors(setup, reader?.record.id ?? null);
  const runs = (await store.runs.list()).filter((run) => run.profile === profile.name);
  const chunkerThere = reader === null ? chunker : sealedChunker(reader.record.seal, chunker);
  const plan = decidePlan({
    counts: await count({ ...setup, chunker: chunkerThere }, reader === null ? donors : [reader, ...donors]),
    namespace: address.namespace,
    exists: reader !== null,
    profile,
    formerRuns: runs.filter(({ state }) => RAN.has(state)),
  });
  const namespaceId = reader?.record.id;
  const unfinished = runs.find((run) => run.namespaceId === namespaceId && UNFINISHED.includes(run.state)) ?? null;
  return { ...plan, unfinished };
}

/** Other namespaces of the profile's vector space: what they hold is copied. Whether their witness agrees is proved by the run. */
async function openDonors({ store, provider: { profile } }: PlanSetup, own: number | null): Promise<NamespaceReader[]> {
  const to = { id: own, spaceId: spaceId(profile), storage: profile.storage };
  const donors = (await store.namespaces.list()).filter((record) => mayLend(record, to));
  return Promise.all(donors.map((record) => store.namespaces.openReader(record, record.seal, { strict: true })));
}

/** Everything that the base will hold: the documents of this source, and the stored ones of others, which a new namespace gets as well; of a partial source its documents alone. */
async function count(setup: PlanSetup, readers: readonly NamespaceReader[]): Promise<PlanCounts> {
  const { source, store, base, signal } = setup;
  const tally = createTally(setup, readers);
  const seen = new SeenKeys();
  /** They keep what is stored of them. */
  const kept = new SeenKeys();
  let idsHidden = false;
  let setAside = 0;
  let items = 0;
  for await (const item of source.read === null ? [] : source.read({ signal })) {
    items++;
    if (item.kind === "document") {
      seen.add(item.id);
      await tally.add(item);
      continue;
    }
    setAside++;
    kept.add(item.id);
    idsHidden ||= item.hidesIds;
  }
  signal.throwIfAborted();
  if (items === 0 && source.read !== null) throw emptySource(source);
  if (source.partial !== undefined) return { ...(await tally.finish()), removed: 0, setAside };

  let removed = 0;
  let after: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const page = await store.documents.read({
      base,
      after,
      through: null,
      limit: PAGE_DOCUMENTS,
      maxBytes: PAGE_BYTES,
    });
    for (const document of page) {
      if (seen.has(document.id)) continue;
      const gone = document.source === source.identity && !idsHidden && !kept.has(document.id);
      if (gone) removed++;
      else await tally.add(document);
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  const counted = await tally.finish();
  if (counted.documents === 0 && source.read === null) throw nothingStored(base);
  return { ...counted, removed, setAside };
}

type Counted = Omit<PlanCounts, "removed" | "setAside">;

function createTally({ chunker, tokenizer }: PlanSetup, readers: readonly NamespaceReader[]) {
  const texts = new SeenKeys();
  const { exact } = tokenizer.countTokens("");
  let documents = 0;
  let total = 0;
  let toEmbed = 0;
  let tokens = 0;
  let textBytes = 0;
  /** New texts by hash, to be looked up together. */
  let waiting: { hash: Buffer; tokens: number }[] = [];

  const lookUp = async () => {
    for (const reader of readers) {
      const found = await reader.findContent(waiting.map(({ hash }) => hash));
      waiting = waiting.filter(({ hash }) => !found.has(hash.toString("hex")));
    }
    for (const text of waiting) {
      toEmbed++;
      tokens += text.tokens;
    }
    waiting = [];
  };

  return {
    async add(document: Parameters<Chunker["chunk"]>[0]): Promise<void> {
      documents++;
      for (const chunk of chunker.chunk(document)) {
        total++;
        textBytes += Buffer.byteLength(chunk.text);
        const hash = chunkHash(chunk.embedText);
        if (texts.addHash(hash)) waiting.push({ hash, tokens: tokenizer.countTokens(chunk.embedText).estimate });
        if (waiting.length >= LOOK_UP_CHUNKS) await lookUp();
      }
    },
    async finish(): Promise<Counted> {
      await lookUp();
      return {
        documents,
        chunks: { total, toEmbed, unchanged: total - toEmbed },
        tokens,
        tokensExact: exact,
        textBytes,
      };
    },
  };
}
