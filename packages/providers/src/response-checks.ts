import { EmbError, type Profile } from "@emb/manifest";
import type { EmbeddingProvider, Embeddings, EmbedOptions } from "./provider.js";
import { refuseBlankTexts } from "./text-guards.js";

/** How far the L2 norm of a vector may be from 1. Source: docs/design.md section 8. */
export const NORM_TOLERANCE = 1e-3;

type Embed = EmbeddingProvider["embedDocuments"];

/**
 * A provider whose every answer is checked: count, dims, finite numbers, and norm 1 when the profile says so. Blank texts,
 * empty lists and aborted signals never reach the inner provider, and `close` waits for calls in flight.
 */
export function withResponseChecks(inner: EmbeddingProvider): EmbeddingProvider {
  const { profile } = inner;
  const inFlight = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const checked =
    (embed: Embed): Embed =>
    async (texts: readonly string[], options: EmbedOptions) => {
      options.signal.throwIfAborted();
      if (closing) throw closed(profile);
      if (texts.length === 0) return { dense: new Float32Array(0), count: 0, dims: profile.dims, tokens: 0 };
      refuseBlankTexts(texts);
      const call = embed(texts, options);
      inFlight.add(call);
      try {
        const answer = await call;
        checkEmbeddings(answer, texts.length, profile);
        return answer;
      } finally {
        inFlight.delete(call);
      }
    };

  return {
    profile,
    embedDocuments: checked((texts, options) => inner.embedDocuments(texts, options)),
    embedQueries: checked((texts, options) => inner.embedQueries(texts, options)),
    close: () => (closing ??= Promise.allSettled(inFlight).then(() => inner.close())),
  };
}

/** @throws EmbError EMB_PROVIDER_RESPONSE_INVALID when the answer is not `count` vectors of the profile */
export function checkEmbeddings({ dense, count, dims }: Embeddings, texts: number, profile: Profile): void {
  if (count !== texts) throw invalid(profile, `${count} vectors for ${texts} texts`);
  if (dims !== profile.dims) throw invalid(profile, `vectors of ${dims} dims, the profile says ${profile.dims}`);
  if (dense.length !== count * dims) throw invalid(profile, `${dense.length} numbers, ${count} x ${dims} expected`);
  const { normalizedOutput } = profile.capabilities;
  for (let row = 0; row < count; row++) {
    let sum = 0; // of squares; not finite exactly when a component is not: float32 squares do not overflow a double
    for (let i = row * dims; i < (row + 1) * dims; i++) sum += dense[i]! * dense[i]!;
    if (!Number.isFinite(sum)) throw invalid(profile, `vector ${row} holds a number that is not finite`);
    if (normalizedOutput && Math.abs(Math.sqrt(sum) - 1) > NORM_TOLERANCE) {
      throw invalid(profile, `vector ${row} has norm ${Math.sqrt(sum).toFixed(4)}, 1 expected`);
    }
  }
}

const invalid = (profile: Profile, what: string): EmbError =>
  new EmbError("EMB_PROVIDER_RESPONSE_INVALID", `Provider "${profile.provider}" answered with ${what}.`, {
    hint: `Compare model_id, dims and normalized_output of profile "${profile.name}" with the model's documentation.`,
    context: { profile: profile.name, provider: profile.provider },
  });

const closed = (profile: Profile): EmbError =>
  new EmbError("EMB_PROVIDER_UNAVAILABLE", `The provider of profile "${profile.name}" was closed.`, {
    hint: "Create a new provider.",
    context: { profile: profile.name },
  });
