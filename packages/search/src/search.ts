import {
  decideWitness,
  EmbError,
  embedProbes,
  fingerprint,
  spaceId,
  WITNESS_MIN_COSINE,
  witnessFailed,
  type Profile,
} from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import type { Hit, NamespaceAddress, NamespaceReader, Namespaces } from "@emb/store";

export interface SearchSetup {
  readonly namespaces: Namespaces;
  readonly address: NamespaceAddress;
  /** The provider of the profile that reads; its profile decides which seal is expected. */
  readonly provider: EmbeddingProvider;
  /** false: a namespace of another space but equal dims is read, and each answer says so. Writing never is. */
  readonly strict: boolean;
  readonly signal: AbortSignal;
}

export interface SearchRequest {
  readonly text: string;
  /** 1 to 1,000. */
  readonly topK: number;
  /** Scan every vector instead of the index. @defaultValue false */
  readonly exact?: boolean;
}

export interface SearchAnswer {
  readonly profile: string;
  readonly namespace: string;
  /** `mismatched`: the vectors are of another space and the order is not to be trusted; only with strict off. */
  readonly seal: "equal" | "mismatched";
  /** Best first; a higher score is closer for every similarity. */
  readonly hits: readonly Hit[];
  /** Of the query, as the model counted them; null: it does not say. */
  readonly tokens: number | null;
}

/** Reads one namespace with the one profile it was opened for. */
export interface Search {
  readonly reader: NamespaceReader;
  /** Lowest cosine of the witness at opening; null when it was not asked because the seal is of another space (strict off). */
  readonly witnessCosine: number | null;
  /** Answers given under a mismatched seal so far. */
  mismatchedAnswers(): number;
  /**
   * @throws EmbError EMB_TEXT_EMPTY, EMB_TEXT_TOO_LONG (a query is never cut), EMB_USAGE (top_k out of range) and what the provider and the
   *   store throw; the signal's reason on abort
   */
  search(request: SearchRequest, options: { signal: AbortSignal }): Promise<SearchAnswer>;
}

export const MAX_TOP_K = 1000;

/**
 * Opens a namespace for searching: the seal is checked first, then the witness, whose probe texts are embedded anew and compared.
 * @throws EmbError EMB_NAMESPACE_NOT_FOUND, EMB_NAMESPACE_MODE_MISMATCH, EMB_SEAL_MISMATCH, EMB_NAMESPACE_NOT_READY,
 *   EMB_WITNESS_FAILED and what the provider throws
 */
export async function openSearch(setup: SearchSetup): Promise<Search> {
  const { provider, address, namespaces, strict, signal } = setup;
  const { profile } = provider;
  const reader = await namespaces.openReader(address, expectedSeal(profile), { strict });
  if (reader.record.state !== "ready")
    throw new EmbError(
      "EMB_NAMESPACE_NOT_READY",
      `namespace ${address.namespace}: expected a verified namespace (state ready), seen state ${reader.record.state}`,
      { hint: `Finish its run: emb reingest --to ${profile.name} (emb status shows what is missing).` },
    );
  const witnessCosine = reader.seal === "equal" ? await checkWitness(reader, provider, signal) : null;

  let mismatched = 0;
  return {
    reader,
    witnessCosine,
    mismatchedAnswers: () => mismatched,
    async search({ text, topK, exact = false }, options) {
      if (!Number.isInteger(topK) || topK < 1 || topK > MAX_TOP_K)
        throw new EmbError("EMB_USAGE", `top_k: expected a whole number from 1 to ${MAX_TOP_K}, got ${topK}`, {
          hint: "Ask for fewer results.",
        });
      const { dense, tokens } = await provider.embedQueries([text], options);
      const hits = await reader.searchDense({ vector: dense, limit: topK, exact });
      if (reader.seal === "mismatched") mismatched++;
      return { profile: profile.name, namespace: address.namespace, seal: reader.seal, hits, tokens };
    },
  };
}

const expectedSeal = (profile: Profile) => ({
  profile: profile.name,
  spaceId: spaceId(profile),
  fingerprint: fingerprint(profile),
  dims: profile.dims,
});

async function checkWitness(
  reader: NamespaceReader,
  provider: EmbeddingProvider,
  signal: AbortSignal,
): Promise<number> {
  const { witness } = reader.record.seal;
  const seen = await embedProbes(provider, witness, signal);
  const verdict = decideWitness(
    witness.map((probe) => probe.vector),
    seen,
  );
  if (verdict.ok) return verdict.minCosine;
  const { minCosine } = verdict;
  const { namespace } = reader.record;
  throw witnessFailed({ namespace, profile: provider.profile.name, minCosine, minimum: WITNESS_MIN_COSINE });
}
