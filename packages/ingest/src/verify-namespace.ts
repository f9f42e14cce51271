import { decideWitness, EmbError, embedProbes, fingerprint } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import type { Documents, NamespaceReader, StoredChunkFacts, TextFailure } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { chunkHash, shownHash } from "./content-hash.js";
import { sealedChunker } from "./whole-texts.js";

const PAGE_DOCUMENTS = 200;
const PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_CHUNKS = 2000;
/** Enough to repair in one go; the rest of a larger damage is found by the next verification. */
const MAX_NAMED_DOCUMENTS = 100_000;

/** What a namespace must reach before it may serve. The defaults are @emb/config's. */
export interface VerifyLimits {
  readonly maxDriftPct: number;
  /** Distance of an L2 norm from 1, for profiles with normalised output. */
  readonly normTolerance: number;
  /** Of the approximate index against an exact scan, over the ten nearest. */
  readonly minRecall: number;
  /** Lowest cosine between the probe vectors of the seal and those of today's model. */
  readonly witnessMinCosine: number;
  /** Stored vectors that are searched for again, to measure that recall. */
  readonly sampleQueries: number;
}

export interface Check {
  readonly name:
    "documents" | "chunks" | "texts" | "set_aside" | "seal" | "dims" | "norms" | "witness" | "queries" | "recall";
  readonly ok: boolean;
  readonly seen: number | string;
  readonly want: string;
}

export interface Verification {
  readonly ok: boolean;
  readonly namespace: string;
  /** Chunks that the system of record asks for, set-aside ones not among them. */
  readonly expected: number;
  readonly found: number;
  readonly missing: number;
  readonly duplicate: number;
  /** Rows with another content, or of a document that is gone. */
  readonly stale: number;
  /** Texts that the latest run set aside. */
  readonly setAside: number;
  /** (missing + duplicate + stale) / max(expected, 1) x 100 */
  readonly driftPct: number;
  readonly checks: readonly Check[];
  /** Documents to write again; at most 100,000 are named. */
  readonly damaged: readonly string[];
}

export interface VerifySetup {
  readonly documents: Pick<Documents, "read">;
  readonly reader: NamespaceReader;
  readonly provider: EmbeddingProvider;
  readonly chunker: Chunker;
  /** Texts that the latest run set aside: their chunks are not expected, and their number must be 0 unless accepted. */
  readonly setAside: readonly TextFailure[];
  readonly acceptFailures: number;
  readonly limits: VerifyLimits;
  readonly signal: AbortSignal;
  readonly onProgress?: (chunks: number) => void;
}

/**
 * Reads the destination back and compares it with what the system of record, chunked anew, asks for. Writes nothing; embeds only the probe
 * texts of the seal. Memory is bounded by one page on each side.
 * @throws EmbError EMB_SEAL_MISMATCH when the namespace was filled with another chunker, and what provider and store throw
 */
export async function verifyNamespace(given: VerifySetup): Promise<Verification> {
  const setup = { ...given, chunker: sealedChunker(given.reader.record.seal, given.chunker) };
  const { reader, provider, setAside, limits, chunker } = setup;
  const { profile } = provider;
  const { namespace, seal } = reader.record;
  if (seal.chunkerId !== chunker.id)
    throw new EmbError(
      "EMB_SEAL_MISMATCH",
      `namespace ${namespace}: expected chunks by ${chunker.id}, seen ${seal.chunkerId}`,
      {
        hint: "Set ingest.chunk_tokens and EMB_MODELS_DIR (it decides between an exact tokenizer and an estimate) back to what the namespace was filled with, or fill a namespace of another base.",
        context: { namespace },
      },
    );
  const walked = await compareChunks(setup);
  const { expected, found, missing, duplicate, stale } = walked;
  const driftPct = ((missing + duplicate + stale) / Math.max(expected, 1)) * 100;
  const checks: Check[] = [
    { name: "chunks", ok: driftPct <= limits.maxDriftPct, seen: driftPct, want: `drift_pct <= ${limits.maxDriftPct}` },
    {
      name: "texts",
      ok: walked.altered === 0,
      seen: walked.altered,
      want: "0 rows that show another text than was embedded",
    },
    {
      name: "set_aside",
      ok: setAside.length <= setup.acceptFailures,
      seen: setAside.length,
      want: `<= ${setup.acceptFailures}`,
    },
    checkSeal(reader, fingerprint(profile), walked.seals),
    {
      name: "dims",
      ok: walked.wrongDims === 0,
      seen: walked.wrongDims,
      want: `0 vectors of other than ${profile.dims} dims`,
    },
    profile.capabilities.normalizedOutput
      ? {
          name: "norms",
          ok: walked.wrongNorms === 0,
          seen: walked.wrongNorms,
          want: `0 vectors with |norm - 1| > ${limits.normTolerance}`,
        }
      : { name: "norms", ok: true, seen: "not normalised", want: "no rule for this profile" },
    ...(await checkAnswers(setup, found)),
    await checkRecall(setup),
  ];
  return {
    ok: checks.every((check) => check.ok),
    namespace: reader.record.namespace,
    expected,
    found,
    missing,
    duplicate,
    stale,
    setAside: setAside.length,
    driftPct,
    checks,
    damaged: [...walked.damaged],
  };
}

interface Walk {
  expected: number;
  found: number;
  missing: number;
  duplicate: number;
  stale: number;
  /** Rows with the right content hash whose text or headings were changed past emb. */
  altered: number;
  wrongDims: number;
  wrongNorms: number;
  readonly seals: Set<number>;
  readonly damaged: Set<string>;
}

/** Merges two walks in the same bytewise order: documents chunked anew, and stored rows. */
async function compareChunks(setup: VerifySetup): Promise<Walk> {
  const { reader, provider, chunker, signal, setAside } = setup;
  const walk: Walk = {
    expected: 0,
    found: 0,
    missing: 0,
    duplicate: 0,
    stale: 0,
    altered: 0,
    wrongDims: 0,
    wrongNorms: 0,
    seals: new Set(),
    damaged: new Set(),
  };
  const notExpected = new Set(setAside.map(({ documentId, ordinal }) => `${ordinal}:${documentId}`));
  const damage = (documentId: string) => {
    if (walk.damaged.size < MAX_NAMED_DOCUMENTS) walk.damaged.add(documentId);
  };
  const normalised = provider.profile.capabilities.normalizedOutput;
  const rows = createRowWalk(reader, (row) => {
    walk.found++;
    walk.seals.add(row.sealId);
    if (row.dims !== provider.profile.dims) {
      walk.wrongDims++;
      damage(row.documentId);
    }
    if (normalised && !(Math.abs(row.norm - 1) <= setup.limits.normTolerance)) {
      walk.wrongNorms++; // so written, a NaN is wrong too
      damage(row.documentId);
    }
    if (walk.found % PAGE_CHUNKS === 0) setup.onProgress?.(walk.found);
  });

  let after: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const page = await setup.documents.read({
      base: reader.record.base,
      after,
      through: null,
      limit: PAGE_DOCUMENTS,
      maxBytes: PAGE_BYTES,
    });
    for (const document of page) {
      for (const row of await rows.before(document.id)) {
        walk.stale++;
        damage(row.documentId);
      }
      const wanted = chunker.chunk(document).map((chunk) => ({
        content: chunkHash(chunk.embedText),
        shown: shownHash(chunk),
      }));
      const seen = new Set<number>();
      for (const row of await rows.of(document.id)) {
        const chunk = wanted[row.ordinal];
        if (seen.has(row.ordinal)) walk.duplicate++;
        else if (chunk === undefined || chunk.content.compare(row.contentHash) !== 0) walk.stale++;
        else if (chunk.shown.compare(row.shownHash) !== 0) walk.altered++;
        else {
          seen.add(row.ordinal);
          continue;
        }
        damage(document.id);
        seen.add(row.ordinal);
      }
      for (const ordinal of wanted.keys()) {
        if (!seen.has(ordinal) && notExpected.has(`${ordinal}:${document.id}`)) continue;
        walk.expected++;
        if (seen.has(ordinal)) continue;
        walk.missing++;
        damage(document.id);
      }
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  for (const row of await rows.before(null)) {
    walk.stale++;
    damage(row.documentId);
  }
  setup.onProgress?.(walk.found);
  return walk;
}

/** Stored rows in order, taken document by document. Ids are compared as the store orders them: by their UTF-8 bytes. */
function createRowWalk(reader: NamespaceReader, onRow: (row: StoredChunkFacts) => void) {
  let page: readonly StoredChunkFacts[] = [];
  let place = 0;
  let last: { documentId: string; ordinal: number } | null = null;
  let ended = false;

  const peek = async (): Promise<StoredChunkFacts | undefined> => {
    if (place === page.length && !ended) {
      page = await reader.scan({ after: last, limit: PAGE_CHUNKS });
      place = 0;
      ended = page.length === 0;
    }
    return page[place];
  };
  const takeWhile = async (wanted: (row: StoredChunkFacts) => boolean): Promise<StoredChunkFacts[]> => {
    const taken: StoredChunkFacts[] = [];
    for (let row = await peek(); row !== undefined && wanted(row); row = await peek()) {
      onRow(row);
      taken.push(row);
      last = { documentId: row.documentId, ordinal: row.ordinal };
      place++;
    }
    return taken;
  };
  return {
    /** Rows of documents before `id`; null: all that are left. */
    before: (id: string | null) =>
      takeWhile((row) => id === null || Buffer.compare(Buffer.from(row.documentId), Buffer.from(id)) < 0),
    of: (id: string) => takeWhile((row) => row.documentId === id),
  };
}

function checkSeal(reader: NamespaceReader, want: string, seals: ReadonlySet<number>): Check {
  const seen = reader.record.seal.fingerprint;
  const one = seals.size <= 1;
  return {
    name: "seal",
    ok: one && seen === want,
    seen: one ? seen.slice(0, 12) : `${seals.size} seals among the rows`,
    want: want.slice(0, 12),
  };
}

async function checkAnswers({ reader, provider, limits, signal }: VerifySetup, chunks: number): Promise<Check[]> {
  const { witness } = reader.record.seal;
  const seen = await embedProbes(provider, witness, signal);
  const verdict = decideWitness(
    witness.map(({ vector }) => vector),
    seen,
    limits.witnessMinCosine,
  );
  const limit = Math.min(10, chunks);
  const queries = seen.filter((_, place) => witness[place]?.side === "query");
  let answered = 0;
  for (const vector of queries) {
    if (limit === 0) continue;
    const hits = await reader.searchDense({ vector, limit });
    if (hits.length === limit && hits.every(({ score }) => Number.isFinite(score))) answered++;
  }
  return [
    { name: "witness", ok: verdict.ok, seen: verdict.minCosine, want: `cosine >= ${limits.witnessMinCosine}` },
    {
      name: "queries",
      ok: limit === 0 || (queries.length > 0 && answered === queries.length),
      seen: answered,
      want: limit === 0 ? "nothing to find" : `${queries.length} sample queries answered with ${limit} results`,
    },
  ];
}

async function checkRecall({ reader, limits }: VerifySetup): Promise<Check> {
  const want = `recall@10 >= ${limits.minRecall}`;
  if ((await reader.index()) === "none") return { name: "recall", ok: true, seen: "exact search, no index", want };
  let found = 0;
  let wanted = 0;
  for (const { vector } of await reader.sampleVectors({ limit: limits.sampleQueries, seed: 1 })) {
    const exact = await reader.searchDense({ vector, limit: 10, exact: true });
    const floor = exact.at(-1)?.score ?? 0;
    // By score, so that equal texts, which may take each other's place, count as found.
    const near = await reader.searchDense({ vector, limit: 10 });
    found += near.filter(({ score }) => score >= floor - 1e-6).length;
    wanted += exact.length;
  }
  const recall = wanted === 0 ? 1 : found / wanted;
  return { name: "recall", ok: recall >= limits.minRecall, seen: recall, want };
}
