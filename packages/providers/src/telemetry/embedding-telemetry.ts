import type { Meter, Tracer } from "@opentelemetry/api";
import type { EmbeddingProvider } from "../provider.js";
import type { ProviderObserver } from "../provider-events.js";
import { telemetryLabels, type TelemetryContext } from "../telemetry-labels.js";
import { createCallSpans, outcomeOf, type ServedRequest } from "./call-spans.js";
import { genAiAttributes } from "./gen-ai.js";
import { createInstruments } from "./instruments.js";
import type { Guard, GuardOutcome } from "./metric-table.js";
import { createProfileMetrics, type NamespaceLag, type ProfileMetrics } from "./profile-metrics.js";
import type { ShadowMetrics } from "./shadow-metrics.js";

export interface EmbeddingTelemetrySetup {
  readonly meter: Meter;
  /** Null when nobody receives traces: calls then cost no span. */
  readonly tracer: Tracer | null;
  readonly environment: string;
  /** A clock that never goes back, for durations. */
  readonly nowMs: () => number;
  /** Milliseconds since 1970, for spans. */
  readonly epochMs: () => number;
}

/** Metrics and spans of one profile in one process, each with the nine labels of `TelemetryLabels`. */
export interface ProfileTelemetry {
  /** For `createProvider`. */
  readonly observer: ProviderObserver;
  /** The provider with a span around each call; the provider itself when nobody receives traces. */
  traced(provider: EmbeddingProvider): EmbeddingProvider;
  /** Counts a decision of the gate or the seal. */
  guard(guard: Guard, outcome: GuardOutcome): void;
  /** Says what the profile's namespace has still to show. */
  changes(lag: NamespaceLag): void;
  /** For a profile that is asked beside the one that serves. */
  readonly shadow: ShadowMetrics;
  /** Answers one request of a client, inside a span that what happens in it belongs to. `work` gives the HTTP status. */
  readonly serveRequest: (request: ServedRequest, work: () => Promise<number>) => Promise<void>;
  /** Runs one search of the store, timed. */
  readonly storeSearch: <T>(work: () => Promise<T>) => Promise<T>;
  /** The process holds the profile no more: its info gauge falls to 0, its counters stay. Called once. */
  close(): void;
}

/** Opens the telemetry of a profile: create once for each process, then call for each profile that the process holds. */
export function createEmbeddingTelemetry(
  setup: EmbeddingTelemetrySetup,
): (context: TelemetryContext) => ProfileTelemetry {
  const { meter, tracer, environment, nowMs, epochMs } = setup;
  const instruments = createInstruments(meter);
  const known = new Map<string, ProfileMetrics>(); // a worker opens the same profile for run after run
  return (context) => {
    const labels = telemetryLabels(context);
    const genAi = genAiAttributes(context.profile);
    const key = JSON.stringify(labels);
    const metrics = known.get(key) ?? createProfileMetrics({ meter, instruments, labels, genAi, environment });
    known.set(key, metrics);
    metrics.hold();
    const spans = tracer === null ? null : createCallSpans({ tracer, labels, genAi, epochMs });
    return {
      observer(event) {
        metrics.observe(event);
        if (spans !== null && event.kind === "request") spans.requested(event);
      },
      traced: (provider) => spans?.traced(provider) ?? provider,
      guard: metrics.guard,
      changes: metrics.changes,
      shadow: metrics.shadow,
      async serveRequest(request, work) {
        await (spans === null ? work() : spans.serveRequest(request, work));
      },
      async storeSearch(work) {
        const startMs = nowMs();
        try {
          const answer = await (spans === null ? work() : spans.storeSearch(work));
          metrics.storeSearched(nowMs() - startMs, "ok");
          return answer;
        } catch (error) {
          metrics.storeSearched(nowMs() - startMs, outcomeOf(error));
          throw error;
        }
      },
      close: metrics.release,
    };
  };
}
