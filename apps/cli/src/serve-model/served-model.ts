import { isEmbError, type Profile, type Side } from "@emb/manifest";
import type { EmbeddingProvider, Embeddings } from "@emb/providers";

/** Texts of one request, at most. Source: developers.openai.com/api/reference/resources/embeddings, read 2026-11. */
export const MAX_TEXTS = 2_048;

/** Requests under way at once, at most: further ones would only wait for the same processor, and hold their texts meanwhile. */
export const MAX_REQUESTS = 512;

/** One side of a profile's model, behind whatever protocol. */
export interface ServedModel {
  readonly profile: Profile;
  /** @throws RequestFailure for what the caller did wrong or may try again; what else the provider throws */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Embeddings>;
}

export type FailureKind = "invalid" | "unknown_model" | "too_long" | "too_many" | "overloaded";

/** Why a request has no vectors. Its message goes to the caller and holds no text. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";
  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
  }
}

export function serveSide(provider: EmbeddingProvider, side: Side): ServedModel {
  let underWay = 0;
  return {
    profile: provider.profile,
    async embed(texts, signal) {
      if (texts.length > MAX_TEXTS)
        throw new RequestFailure("too_many", `${texts.length} texts, at most ${MAX_TEXTS} in one request.`);
      if (underWay >= MAX_REQUESTS)
        throw new RequestFailure("overloaded", `${underWay} requests are under way, try again later.`);
      underWay++;
      try {
        return await (side === "query"
          ? provider.embedQueries(texts, { signal })
          : provider.embedDocuments(texts, { signal }));
      } catch (error) {
        if (isEmbError(error, "EMB_TEXT_TOO_LONG")) throw new RequestFailure("too_long", error.message);
        if (isEmbError(error, "EMB_TEXT_EMPTY")) throw new RequestFailure("invalid", error.message);
        throw error;
      } finally {
        underWay--;
      }
    },
  };
}

/** Row `index` of an answer; a view, not a copy. */
export const rowOf = ({ dense, dims }: Embeddings, index: number): Float32Array =>
  dense.subarray(index * dims, (index + 1) * dims);
