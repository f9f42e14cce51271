import type { Profile, Side } from "@emb/manifest";
import type { HttpTuning } from "./http-tuning.js";
import type { ServiceAccess } from "./service-access.js";

/** One request to a service, before it is sent. */
export interface PacedRequest {
  /** Provider, address and model: whoever has the same key shares its limits. */
  readonly key: string;
  /** null: not limited. */
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** Tokens that it will take, as far as they are known before. */
  readonly tokens: number;
}

/** Keeps the limits of a service among all processes that use it. */
export interface Pacer {
  /** Reserves room for one request. @returns after how many ms it may be sent */
  reserve(request: PacedRequest): Promise<number>;
}

/** How the requests of one profile keep to its limits; null where it has none, or nobody paces. */
export interface Pacing {
  /** Comes back when the request may be sent. A query is counted, and waits only where the tuning says so. @throws what the pacer throws; the signal's reason on abort */
  wait(side: Side, tokens: number, signal: AbortSignal): Promise<void>;
  /** What a request really took, when the service says so: the next one makes up for the difference. */
  took(expected: number, tokens: number | null): void;
}

export function createPacing(setup: {
  profile: Profile;
  access: Pick<ServiceAccess, "origin" | "path">;
  pacer: Pacer | undefined;
  tuning: Pick<HttpTuning, "sleep" | "waitsInLine">;
}): Pacing | null {
  const { profile, access, pacer, tuning } = setup;
  const { requestsPerMinute, tokensPerMinute } = profile.limits;
  if (pacer === undefined || (requestsPerMinute === null && tokensPerMinute === null)) return null;
  const key = `${profile.provider} ${access.origin}${access.path} ${profile.modelId}`;
  let owed = 0;
  return {
    async wait(side, expected, signal) {
      const tokens = Math.max(expected + owed, 0);
      owed += expected - tokens;
      const reserved = pacer.reserve({ key, requestsPerMinute, tokensPerMinute, tokens });
      if (!tuning.waitsInLine[side]) {
        reserved.catch(() => {}); // an answer to somebody who waits is worth more than its place in a count
        return;
      }
      const waitMs = await reserved;
      if (waitMs > 0) await tuning.sleep(waitMs, signal);
    },
    took(expected, tokens) {
      owed += (tokens ?? expected) - expected;
    },
  };
}
