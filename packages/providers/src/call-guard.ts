import { EmbError, isEmbError, type Profile, type Side } from "@emb/manifest";
import type { EmbeddingProvider, Embeddings, EmbedOptions, Sides, SparseEmbeddings } from "./provider.js";
import type { Operation, Outcome, ProviderObserver } from "./provider-events.js";
import { checkEmbeddings } from "./response-checks.js";
import { embedSettingAside } from "./set-aside.js";
import { refuseBlankTexts } from "./text-guards.js";

export interface GuardOptions {
  /** The inner provider checks its vectors itself. */
  readonly checked: boolean;
  readonly observer?: ProviderObserver | undefined;
  /** Monotonic. */
  readonly nowMs?: (() => number) | undefined;
}

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
    <E extends Answered>(operation: Operation, side: Side, embed: Sides<E>["embedDocuments"], empty: () => E) =>
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
        call = embed(texts, options);
        inFlight.add(call);
        const answer = await call;
        tell("ok", answer.tokens);
        return answer;
      } catch (error) {
        tell(options.signal.aborted ? "aborted" : isEmbError(error) ? error.code : "EMB_INTERNAL", null);
        throw error;
      } finally {
        if (call) inFlight.delete(call);
      }
    };
  const guardSides = <E extends Answered>(operation: Operation, sides: Sides<E>, empty: () => E): Sides<E> => ({
    embedDocuments: guard(operation, "document", (texts, options) => sides.embedDocuments(texts, options), empty),
    embedQueries: guard(operation, "query", (texts, options) => sides.embedQueries(texts, options), empty),
  });
  const { dims } = profile;

  return {
    profile,
    ...guardSides("dense", denseSides(inner, checked), () => ({
      dense: new Float32Array(0),
      count: 0,
      dims,
      tokens: 0,
    })),
    ...(inner.sparse && { sparse: guardSides("sparse", withoutBlanks(inner.sparse), noSparse) }),
    ...(inner.multiVector && {
      multiVector: guardSides("multi_vector", withoutBlanks(inner.multiVector), () => ({
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

type Embed<E> = (texts: readonly string[], options: EmbedOptions) => Promise<E>;

const bothSides = <E>(sides: Sides<E>, change: (embed: Embed<E>) => Embed<E>): Sides<E> => ({
  embedDocuments: change((texts, options) => sides.embedDocuments(texts, options)),
  embedQueries: change((texts, options) => sides.embedQueries(texts, options)),
});

const withoutBlanks = <E>(sides: Sides<E>): Sides<E> =>
  bothSides(sides, (embed) => async (texts, { signal }) => {
    refuseBlankTexts(texts);
    return embed(texts, { signal });
  });

/** Vectors are checked before rows of set-aside texts come between them. */
const denseSides = (inner: EmbeddingProvider, checked: boolean): Sides<Embeddings> =>
  bothSides<Embeddings>(inner, (embed) => {
    const embedChecked: Embed<Embeddings> = async (texts, options) => {
      let told = false;
      const onAnswered = (answered: readonly string[], tokens: number | null) => {
        told = true;
        options.onAnswered?.(answered, tokens);
      };
      const answer = await embed(texts, { ...options, onAnswered });
      if (!checked) checkEmbeddings(answer, texts.length, inner.profile);
      if (!told) onAnswered(texts, answer.tokens);
      return answer;
    };
    return async (texts, { setAside, ...options }) => {
      if (setAside !== undefined)
        return embedSettingAside(embedChecked, texts, inner.profile.dims, { ...options, setAside });
      refuseBlankTexts(texts);
      return embedChecked(texts, options);
    };
  });

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
