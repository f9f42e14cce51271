import { setImmediate as afterThis, setTimeout as sleep } from "node:timers/promises";
import { overlapAtK, rankDocuments, type ScoredDocument } from "@emb/eval";
import type { ShadowMetrics } from "@emb/providers/telemetry";
import type { SearchAnswer } from "@emb/search";
import type { ShadowRead } from "@emb/store";

/** An answer that a client has been given. */
interface ServedAnswer {
  readonly text: string;
  /** Results that were asked for. */
  readonly topK: number;
  readonly answer: SearchAnswer;
  readonly latencyMs: number;
}

export interface ShadowSamplerSetup {
  readonly base: string;
  readonly candidate: { readonly profile: string; readonly namespace: string };
  /** Of the answers offered. */
  readonly samplePct: number;
  /** Queries that the candidate works on at once. What comes beside is dropped: a queue would answer later and later. */
  readonly maxInFlight: number;
  readonly timeoutMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Never goes back. */
  readonly nowMs: () => number;
  /** Asks the candidate. May ignore the signal: its place is then taken until it has ended. */
  readonly ask: (request: { text: string; topK: number }, options: { signal: AbortSignal }) => Promise<SearchAnswer>;
  readonly record: (read: ShadowRead) => Promise<boolean>;
  readonly onEnded: ShadowMetrics["ended"];
  /** Told why a query was not answered or not kept. The error may hold the query's text. */
  readonly onFailure: (error: unknown) => void;
}

/** Asks a candidate a share of what is answered, behind the answers. */
export interface ShadowSampler {
  /** Returns at once, throws nothing, and leaves the answer as it is. */
  offer(served: ServedAnswer): void;
  /** Takes no more, waits at most `limitMs` for what is under way, then gives it up without keeping it. */
  drain(limitMs: number): Promise<void>;
}

type Outcome =
  | { readonly kind: "answered"; readonly documents: readonly ScoredDocument[] }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "timeout" }
  | { readonly kind: "dropped" };

const DROPPED = { outcome: "dropped", durationMs: null, overlap: null } as const;

export function createShadowSampler(setup: ShadowSamplerSetup): ShadowSampler {
  const { base, candidate, samplePct, maxInFlight, timeoutMs, random, nowMs, ask, onEnded, onFailure } = setup;
  const underWay = new Map<AbortController, Promise<void>>();
  let stopping = false;

  async function shadow(served: ServedAnswer, cut: AbortController): Promise<void> {
    await afterThis(); // the answer leaves first
    const startMs = nowMs();
    const timer = setTimeout(() => cut.abort("timeout"), timeoutMs);
    const asked = ask({ text: served.text, topK: served.topK }, { signal: cut.signal });
    const outcome = await Promise.race([answered(asked, cut.signal), aborted(cut.signal)]);
    clearTimeout(timer);
    await conclude(served, outcome, nowMs() - startMs);
    await asked.catch(() => {}); // it holds its place until it has really ended
  }

  async function conclude(served: ServedAnswer, outcome: Outcome, durationMs: number): Promise<void> {
    if (outcome.kind === "dropped") return onEnded(DROPPED);
    const { text, topK, latencyMs, answer } = served;
    const shown = rankHits(answer);
    const documents = outcome.kind === "answered" ? outcome.documents : [];
    if (outcome.kind === "failed") onFailure(outcome.error);
    const read: ShadowRead = {
      base,
      query: text,
      k: topK,
      baseline: { profile: answer.profile, namespace: answer.namespace, documents: shown, latencyMs },
      candidate: { ...candidate, documents, latencyMs: durationMs },
      outcome: outcome.kind,
    };
    const kept = await setup.record(read).catch((error: unknown) => {
      onFailure(error);
      return false;
    });
    if (outcome.kind !== "answered") return onEnded({ outcome: outcome.kind, durationMs, overlap: null });
    const overlap = overlapAtK(idsOf(shown), idsOf(documents), topK);
    onEnded({ outcome: kept ? "recorded" : "failed", durationMs, overlap });
  }

  return {
    offer(served) {
      if (stopping || random() * 100 >= samplePct) return;
      if (underWay.size >= maxInFlight) return onEnded(DROPPED);
      const cut = new AbortController();
      const work = shadow(served, cut)
        .catch(onFailure)
        .finally(() => underWay.delete(cut));
      underWay.set(cut, work);
    },

    async drain(limitMs) {
      stopping = true;
      const over = new AbortController();
      const limit = sleep(limitMs, undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([Promise.all(underWay.values()), limit]);
      over.abort();
      for (const cut of underWay.keys()) cut.abort("dropped");
    },
  };
}

/** Fails as the signal says once it is aborted, whatever the error then is. */
const answered = (asked: Promise<SearchAnswer>, signal: AbortSignal): Promise<Outcome> =>
  asked.then(
    (answer): Outcome => ({ kind: "answered", documents: rankHits(answer) }),
    (error: unknown) => (signal.aborted ? aborted(signal) : { kind: "failed", error }),
  );

const aborted = (signal: AbortSignal): Promise<Outcome> =>
  new Promise((resolve) => {
    const end = () => resolve({ kind: signal.reason === "dropped" ? "dropped" : "timeout" });
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });

const rankHits = ({ hits }: SearchAnswer): ScoredDocument[] =>
  rankDocuments(hits.map(({ documentId, score }) => ({ id: documentId, score })));

const idsOf = (documents: readonly ScoredDocument[]): string[] => documents.map(({ id }) => id);
