import { rankDocuments, type Answer, type QuerySet, type ScoredDocument, type Side } from "@emb/eval";
import { EmbError, isEmbError, type ErrorCode } from "@emb/manifest";
import { MAX_TOP_K, type Search } from "@emb/search";
import type { Hit } from "@emb/store";
import type { OpenedSide } from "./open-side.js";

export interface AskOptions {
  /** Documents wanted for each query. */
  readonly depth: number;
  /** By the index, as a service would; else every vector is scanned. */
  readonly asServed: boolean;
  /** Queries under way at once: latencies are what they are under that load. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  /** What a side's namespace found for a query, chunk by chunk, before it is one list of documents. */
  readonly onHits: (hits: readonly Hit[]) => void;
  /** After each query. */
  readonly onAsked: (asked: number) => void;
}

/** Errors that one query alone has: another one may be answered. Everything else would repeat itself, and ends the comparison. */
const OF_ONE_QUERY: ReadonlySet<ErrorCode> = new Set([
  "EMB_TEXT_EMPTY",
  "EMB_TEXT_TOO_LONG",
  "EMB_PROVIDER_REJECTED",
  "EMB_PROVIDER_RESPONSE_INVALID",
  "EMB_PROVIDER_UNAVAILABLE",
  "EMB_PROVIDER_RATE_LIMITED",
]);

/** Chunks asked for, so that enough different documents are among them even when some have several good chunks. */
const CHUNKS_PER_DOCUMENT = 5;

/**
 * Asks every query of every side, the sides in turn, so that all of them see the same machine. Sides that are one and the same are
 * asked once.
 * @throws EmbError what every query would meet again, EMB_QUERIES_INVALID for a run file of other queries; the signal's reason on abort
 */
export async function askQueries(set: QuerySet, sides: readonly OpenedSide[], options: AskOptions): Promise<Side[]> {
  const distinct = [...new Set(sides)];
  for (const side of distinct) if (side.kind === "run") requireSharedQuery(set, side.is.profile, side.rankings);
  const answers = new Map(distinct.map((side) => [side, new Map<string, Answer>()]));
  let next = 0;
  let asked = 0;
  const askOn = async (): Promise<void> => {
    for (let place = next++; place < set.queries.length; place = next++) {
      const { id, text } = set.queries[place]!;
      for (const side of place % 2 === 0 ? distinct : distinct.toReversed()) {
        const answer = side.kind === "run" ? fromRun(side.rankings.get(id)) : await ask(side.search, text, options);
        if (answer !== null) answers.get(side)!.set(id, answer);
      }
      options.onAsked(++asked);
    }
  };
  const lanes = Array.from({ length: options.concurrency }, () => askOn());
  try {
    await Promise.all(lanes);
  } finally {
    next = set.queries.length; // after an error no lane takes another query, and none outlives the call
    await Promise.allSettled(lanes);
  }
  return sides.map((side) => ({
    name: side.is.profile,
    namespace: side.is.namespace,
    pricePerMillionTokens: side.kind === "run" ? null : side.pricePerMillionTokens,
    answers: answers.get(side)!,
  }));
}

/** A run may leave queries out, which is counted; one that has none of them is of another set, and would lose or win by that alone. */
export function requireSharedQuery(
  { queries }: Pick<QuerySet, "queries">,
  name: string,
  rankings: ReadonlyMap<string, unknown>,
): void {
  if (queries.some(({ id }) => rankings.has(id))) return;
  throw new EmbError(
    "EMB_QUERIES_INVALID",
    `${name}: expected answers to the ${queries.length} queries, got ${rankings.size} answers to others`,
    { hint: "Give the run of these queries: emb eval --run-file writes one.", context: { side: name } },
  );
}

const fromRun = (documents: readonly ScoredDocument[] | undefined): Answer | null =>
  documents === undefined ? null : { documents, latencyMs: null, tokens: null, error: null };

async function ask(search: Search, text: string, options: AskOptions): Promise<Answer> {
  const { depth, asServed, signal, nowMs, onHits } = options;
  const startMs = nowMs();
  try {
    for (let topK = Math.min(MAX_TOP_K, depth * CHUNKS_PER_DOCUMENT); ; topK = Math.min(MAX_TOP_K, topK * 4)) {
      const { hits, tokens } = await search.search({ text, topK, exact: !asServed }, { signal });
      const latencyMs = nowMs() - startMs;
      onHits(hits);
      const documents = rankDocuments(hits.map(({ documentId, score }) => ({ id: documentId, score })));
      if (documents.length >= depth || hits.length < topK || topK === MAX_TOP_K)
        return { documents: documents.slice(0, depth), latencyMs, tokens, error: null };
    }
  } catch (error) {
    if (!isEmbError(error) || !OF_ONE_QUERY.has(error.code)) throw error;
    return { documents: [], latencyMs: null, tokens: null, error: error.code };
  }
}
