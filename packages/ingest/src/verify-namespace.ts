import { decideWitness, EmbError, embedProbes, fingerprint } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import type { Documents, NamespaceReader, TextFailure } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { compareChunks } from "./compare-chunks.js";
import { sealedChunker } from "./whole-texts.js";

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
    | "state"
    | "documents"
    | "chunks"
    | "texts"
    | "set_aside"
    | "seal"
    | "dims"
    | "norms"
    | "witness"
    | "queries"
    | "recall";
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
  /** Documents on their way when they were looked at: queued, or in front of a run. They are no drift. */
  readonly lag: number;
  /** Texts that the latest run or a live change set aside. */
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
  /** Texts that the latest run and live changes set aside (`setAsideTexts`): their chunks are not expected, and their number must be 0 unless accepted. */
  readonly setAside: readonly TextFailure[];
  readonly acceptFailures: number;
  readonly limits: VerifyLimits;
  /** An unfinished run of the namespace, or one after a partial run, will still bring what is pending. @defaultValue false */
  readonly filling?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (chunks: number) => void;
}

/**
 * Reads the destination back and compares it with what the system of record, chunked anew, asks for. Writes nothing; embeds only the probe
 * texts of the seal. Others may write meanwhile: a document that moves is looked at again. Memory is bounded by one page on each side, and the ids
 * of documents that differ.
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
  const walked = await compareChunks({
    documents: setup.documents,
    reader,
    chunker,
    setAside,
    filling: setup.filling ?? false,
    signal: setup.signal,
    onProgress: setup.onProgress,
    rule: {
      dims: profile.dims,
      normTolerance: profile.capabilities.normalizedOutput ? limits.normTolerance : null,
    },
  });
  const { expected, found, missing, duplicate, stale, lag } = walked;
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
    lag,
    setAside: setAside.length,
    driftPct,
    checks,
    damaged: [...walked.damaged],
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
