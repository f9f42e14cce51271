import type { ErrorCode, Side } from "@emb/manifest";

/** What a provider is asked for. Models behind some profiles give more than one kind of vector. */
export type Operation = "dense" | "sparse" | "multi_vector";

/** Why a request to a service is sent again. */
export type RetryReason = "rate_limited" | "timeout" | "connection" | "server_error";

export type BreakerState = "closed" | "half_open" | "open";

/** How a request or a call ended; `aborted` when its signal did it. */
export type Outcome = "ok" | "aborted" | ErrorCode;

/**
 * What happens inside and around a provider. Numbers and closed sets of words only: no text, key, id or path can reach a
 * metric, a span or a log line from here.
 */
export type ProviderEvent =
  /** One call of the port has ended: all its batches, retries and checks included. */
  | {
      readonly kind: "call";
      readonly operation: Operation;
      readonly side: Side;
      readonly outcome: Outcome;
      readonly texts: number;
      /** Null when the service does not count, or the call failed. */
      readonly tokens: number | null;
      readonly durationMs: number;
    }
  /** One request to a service over HTTP has ended. */
  | {
      readonly kind: "request";
      readonly operation: Operation;
      readonly side: Side;
      readonly outcome: Outcome;
      /** HTTP status; null when no answer came. */
      readonly status: number | null;
      readonly texts: number;
      readonly tokens: number | null;
      readonly durationMs: number;
      readonly serverAddress: string;
      readonly serverPort: number;
      /** Model named in the answer; null when it names none. */
      readonly responseModel: string | null;
    }
  | { readonly kind: "retry"; readonly reason: RetryReason; readonly delayMs: number }
  /** A batch that the service refused was cut in two. */
  | { readonly kind: "split"; readonly texts: number }
  | { readonly kind: "rate_limited"; readonly retryAfterMs: number | null }
  | { readonly kind: "breaker"; readonly state: BreakerState }
  /** How many requests may be under way at once, after each change. */
  | { readonly kind: "concurrency"; readonly limit: number };

/** Told of every event, at once and on the path of the request: it returns quickly and never throws. */
export type ProviderObserver = (event: ProviderEvent) => void;
