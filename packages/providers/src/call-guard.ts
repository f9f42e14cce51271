import { EmbError, isEmbError, type Profile, type Side } from "@emb/manifest";
import type { EmbeddingProvider, EmbedOptions, Sides, SparseEmbeddings } from "./provider.js";
import type { Operation, Outcome, ProviderObserver } from "./provider-events.js";
import { checkEmbeddings } from "./response-checks.js";
import { refuseBlankTexts } from "./text-guards.js";

export interface GuardOptions {
  /** The inner provider checks its vectors itself. */
  readonly checked: boolean;
  readonly observer?: ProviderObserver | undefined;
  /** Monotonic. */
  readonly nowMs?: (() => number) | undefined;
}

/** @throws EmbError EMB_PROVIDER_RESPONSE_INVALID */
type Check<E> = (answer: E, texts: number) => void;

/** What the guard needs to know of an answer. */
interface Answered {
  readonly tokens: number | null;
}

/**
 * What every provider has in common at its edge: blank texts and aborted signals never reach the inner provider, vectors are
 * checked, a `call` event is told for each call, and `close` waits for calls in flight.
 */
export function guardCalls(
  inner: EmbeddingProvider,
  { checked, observer = () => {}, nowMs = () => performance.now() }: GuardOptions,
): EmbeddingProvider {
  const { profile } = inner;
  const inFlight = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const guard =
    <E extends Answered>(
      operation: Operation,
      side: Side,
      embed: Sides<E>["embedDocuments"],
      empty: () => E,
      check: Check<E>,
    ) =>
    async (texts: readonly string[], options: EmbedOptions): Promise<E> => {
      options.signal.throwIfAborted();
      if (closing) throw closed(profile);
      if (texts.length === 0) return empty();
      const startMs = nowMs();
      const tell = (outcome: Outcome, tokens: number | null) =>
        observer({
          kind: "call",
          operation,
          side,
          outcome,
          texts: texts.length,
          tokens,
          durationMs: nowMs() - startMs,
        });
      let call: Promise<E> | undefined;
      try {
        refuseBlankTexts(texts);
        call = embed(texts, options);
        inFlight.add(call);
        const answer = await call;
        check(answer, texts.length);
        tell("ok", answer.tokens);
        return answer;
      } catch (error) {
        tell(options.signal.aborted ? "aborted" : isEmbError(error) ? error.code : "EMB_INTERNAL", null);
        throw error;
      } finally {
        if (call) inFlight.delete(call);
      }
    };
  const guardSides = <E extends Answered>(
    operation: Operation,
    sides: Sides<E>,
    empty: () => E,
    check: Check<E> = () => {},
  ): Sides<E> => ({
    embedDocuments: guard(
      operation,
      "document",
      (texts, options) => sides.embedDocuments(texts, options),
      empty,
      check,
    ),
    embedQueries: guard(operation, "query", (texts, options) => sides.embedQueries(texts, options), empty, check),
  });
  const { dims } = profile;

  return {
    profile,
    ...guardSides(
      "dense",
      inner,
      () => ({ dense: new Float32Array(0), count: 0, dims, tokens: 0 }),
      checked ? undefined : (answer, texts) => checkEmbeddings(answer, texts, profile),
    ),
    ...(inner.sparse && { sparse: guardSides("sparse", inner.sparse, noSparse) }),
    ...(inner.multiVector && {
      multiVector: guardSides("multi_vector", inner.multiVector, () => ({
        vectors: new Float32Array(0),
        offsets: new Uint32Array(1),
        count: 0,
        dims,
        tokens: 0,
      })),
    }),
    close: () => (closing ??= Promise.allSettled(inFlight).then(() => inner.close())),
  };
}

const noSparse = (): SparseEmbeddings => ({
  indices: new Uint32Array(0),
  values: new Float32Array(0),
  offsets: new Uint32Array(1),
  count: 0,
  tokens: 0,
});

/** A provider of one's own, guarded and checked as those of the factory are. */
export const withResponseChecks = (inner: EmbeddingProvider): EmbeddingProvider =>
  guardCalls(inner, { checked: false });

const closed = (profile: Profile): EmbError =>
  new EmbError("EMB_PROVIDER_UNAVAILABLE", `The provider of profile "${profile.name}" was closed.`, {
    hint: "Create a new provider.",
    context: { profile: profile.name },
  });
