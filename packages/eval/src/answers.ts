import type { ScoredDocument } from "./ranking.js";

/** What one side gave for one query. */
export interface Answer {
  /** Each document once, best first: `rankDocuments`. Empty when it failed. */
  readonly documents: readonly ScoredDocument[];
  /** Null: not measured. */
  readonly latencyMs: number | null;
  /** Tokens of the query as the model counted them; null: it does not say. */
  readonly tokens: number | null;
  /** Error code; null: answered. */
  readonly error: string | null;
}

/** One profile's answers, or a run file's. */
export interface Side {
  /** Profile, or name of the run. */
  readonly name: string;
  /** Null for a run file. */
  readonly namespace: string | null;
  /** USD; null: unknown. */
  readonly pricePerMillionTokens: number | null;
  /** By query id. A query that is not there is not in the run file: it may have found nothing, or may never have been asked. */
  readonly answers: ReadonlyMap<string, Answer>;
}

/** What answering took, beside how good the answers are. */
export interface ServiceFacts {
  readonly answered: number;
  readonly errors: number;
  /** Of the queries asked. */
  readonly errorPct: number;
  readonly errorsByCode: Readonly<Record<string, number>>;
  /** Of the answered ones; null: not measured. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  /** Sorted, for a curve. */
  readonly latenciesMs: readonly number[];
  /** Null: the model does not count. */
  readonly tokens: number | null;
  readonly costPer1000QueriesUsd: number | null;
}

export function serviceFacts({ answers, pricePerMillionTokens }: Side): ServiceFacts {
  const all = [...answers.values()];
  const failed = all.filter(({ error }) => error !== null);
  const answered = all.filter(({ error }) => error === null);
  const latenciesMs = answered.flatMap(({ latencyMs }) => latencyMs ?? []).toSorted((a, b) => a - b);
  const counted = answered.flatMap(({ tokens }) => tokens ?? []);
  const tokens =
    answered.length > 0 && counted.length === answered.length ? counted.reduce((sum, n) => sum + n, 0) : null;
  const free = pricePerMillionTokens === 0 && answered.length > 0;
  const known = pricePerMillionTokens !== null && tokens !== null;
  return {
    answered: answered.length,
    errors: failed.length,
    errorPct: all.length === 0 ? 0 : (100 * failed.length) / all.length,
    errorsByCode: Object.fromEntries(countBy(failed.map(({ error }) => error ?? "").toSorted())),
    latencyMs:
      latenciesMs.length === 0
        ? null
        : {
            p50: percentile(latenciesMs, 0.5),
            p95: percentile(latenciesMs, 0.95),
            p99: percentile(latenciesMs, 0.99),
          },
    latenciesMs,
    tokens,
    costPer1000QueriesUsd: free ? 0 : known ? (tokens * pricePerMillionTokens) / 1e6 / (answered.length / 1000) : null,
  };
}

function countBy(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** The smallest value that at least `share` of the sorted values do not pass (nearest rank). */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
