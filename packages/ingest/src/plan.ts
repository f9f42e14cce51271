import type { Profile } from "@emb/manifest";
import type { Run } from "@emb/store";

/** What the walk over source and store counted. */
export interface PlanCounts {
  /** Documents that the namespace will hold. */
  readonly documents: number;
  /** Stored documents that the source does not have any more. */
  readonly removed: number;
  /** Documents of the source that cannot be taken. */
  readonly setAside: number;
  readonly chunks: {
    readonly total: number;
    /** Texts without a vector in the namespace; a text that many chunks share counts once. */
    readonly toEmbed: number;
    readonly unchanged: number;
  };
  /** Of the texts to embed. */
  readonly tokens: number;
  /** False: `tokens` is an estimate. */
  readonly tokensExact: boolean;
  /** UTF-8 bytes of all chunks' texts. */
  readonly textBytes: number;
}

/** What a re-ingest would do and take, before anything is spent. */
export interface Plan extends PlanCounts {
  readonly namespace: string;
  /** False: the namespace would be made. */
  readonly exists: boolean;
  /** null: the manifest has no price, which is not 0. */
  readonly costUsd: number | null;
  /** Of embedding alone. null: no run of this profile embedded anything here yet. */
  readonly seconds: number | null;
  /** What the profile's requests and tokens a minute allow at best. */
  readonly secondsAtLeast: number;
  /** What the namespace will hold when it is full; its index comes on top. */
  readonly bytes: { readonly vectors: number; readonly text: number };
}

const BYTES_PER_COMPONENT = { vector: 4, halfvec: 2 } as const;
const MINUTE_S = 60;

export const costOf = (
  tokens: number,
  { pricePerMillionTokens: price }: Pick<Profile, "pricePerMillionTokens">,
): number | null => (price === null ? null : (tokens / 1e6) * price);

/** Price, time and bytes of what was counted. Pure. */
export function decidePlan(input: {
  counts: PlanCounts;
  namespace: string;
  exists: boolean;
  profile: Profile;
  /** Any runs of the profile. */
  formerRuns: readonly Run[];
}): Plan {
  const { counts, namespace, exists, profile, formerRuns } = input;
  const { chunks, tokens, textBytes } = counts;
  const { requestsPerMinute, tokensPerMinute, maxBatchItems } = profile.limits;
  const requests = Math.ceil(chunks.toEmbed / (maxBatchItems ?? Math.max(chunks.toEmbed, 1)));
  const secondsAtLeast = Math.max(
    minutesFor(requests, requestsPerMinute) * MINUTE_S,
    minutesFor(tokens, tokensPerMinute) * MINUTE_S,
  );
  const rate = fastest(formerRuns);
  return {
    ...counts,
    namespace,
    exists,
    costUsd: costOf(tokens, profile),
    secondsAtLeast,
    seconds: rate === null ? null : Math.max(chunks.toEmbed / rate, secondsAtLeast),
    bytes: { vectors: chunks.total * profile.dims * BYTES_PER_COMPONENT[profile.storage], text: textBytes },
  };
}

/** The first minute's allowance is there at once, so only what is left over it waits. */
const minutesFor = (amount: number, perMinute: number | null): number =>
  perMinute === null ? 0 : Math.max(amount / perMinute - 1, 0);

/** Texts a second of the fastest run: one that stood still for a night, or had little to do, says less of the model. */
function fastest(runs: readonly Run[]): number | null {
  const rates = runs.map(
    ({ counters, createdAt, updatedAt }) => counters.embedded / ((updatedAt.getTime() - createdAt.getTime()) / 1000),
  );
  const known = rates.filter((rate) => rate > 0 && Number.isFinite(rate));
  return known.length === 0 ? null : Math.max(...known);
}
