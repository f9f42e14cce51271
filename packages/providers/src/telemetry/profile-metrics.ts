import type { Attributes, BatchObservableResult, Meter } from "@opentelemetry/api";
import type { BreakerState, Operation, Outcome, ProviderEvent } from "../provider-events.js";
import type { TelemetryLabels } from "../telemetry-labels.js";
import { ERROR_TYPE, STORE_SEARCH, TOKEN_TYPE } from "./gen-ai.js";
import type { Instruments } from "./instruments.js";
import { Tally } from "./tally.js";
import { createShadowMetrics, type ShadowMetrics } from "./shadow-metrics.js";
import { LABEL_VALUES, outcomeLabel, type Guard, type GuardOutcome } from "./metric-table.js";

export interface ProfileMetrics {
  readonly observe: (event: ProviderEvent) => void;
  readonly guard: (guard: Guard, outcome: GuardOutcome) => void;
  readonly changes: (lag: NamespaceLag) => void;
  readonly storeSearched: (durationMs: number, outcome: Outcome) => void;
  readonly shadow: ShadowMetrics;
  /** Says that the process holds the profile. Once for each `release`. */
  readonly hold: () => void;
  readonly release: () => void;
}

/** What a namespace has still to show. */
export interface NamespaceLag {
  readonly queued: number;
  /** 0 when none waits. */
  readonly oldestAgeMs: number;
  readonly setAside: number;
}

export interface ProfileMetricsSetup {
  readonly meter: Meter;
  readonly instruments: Instruments;
  readonly labels: TelemetryLabels;
  readonly genAi: Attributes;
  readonly environment: string;
}

/** Turns the events of one profile into metrics. Attribute objects are made once for each combination, not once for each event. */
export function createProfileMetrics({
  meter,
  instruments,
  labels,
  genAi,
  environment,
}: ProfileMetricsSetup): ProfileMetrics {
  const base: Attributes = { ...labels };
  const once = (make: (...parts: string[]) => Attributes) => {
    const made = new Map<string, Attributes>();
    return (...parts: string[]): Attributes => {
      const key = parts.join(" ");
      let attributes = made.get(key);
      if (attributes === undefined) made.set(key, (attributes = make(...parts)));
      return attributes;
    };
  };
  const failure = (outcome: string): Attributes => (outcome === "ok" ? {} : { [ERROR_TYPE]: outcome });
  const ended = once((operation, side, outcome) => ({ ...base, operation, side, outcome }));
  const sided = once((operation, side) => ({ ...base, operation, side }));
  const reasoned = once((reason) => ({ ...base, reason }));
  const operated = once((outcome) => ({ ...base, ...genAi, ...failure(outcome) }));
  const searched = once((outcome) => ({ ...base, ...STORE_SEARCH, ...failure(outcome) }));
  const guarded = once((guard, outcome) => ({ ...base, guard, outcome }));
  const used: Attributes = { ...base, ...genAi, [TOKEN_TYPE]: "input" };

  const counters = ["calls", "texts", "tokens", "requests", "retries", "splits", "rateLimited", "guard"] as const;
  const tally = {
    calls: new Tally(),
    texts: new Tally(),
    tokens: new Tally(),
    requests: new Tally(),
    retries: new Tally(),
    splits: new Tally(),
    rateLimited: new Tally(),
    guard: new Tally(),
  };
  let holders = 0;
  let breaker: BreakerState | null = null;
  let concurrency: number | null = null;
  let lag: NamespaceLag | null = null;

  const observeCall = (event: ProviderEvent & { kind: "call" }) => {
    const { operation, side, texts, tokens, durationMs } = event;
    const outcome = outcomeLabel(event.outcome);
    const attributes = ended(operation, side, outcome);
    tally.calls.add(1, attributes);
    tally.texts.add(texts, attributes);
    instruments.operationDuration.record(durationMs / 1000, operated(outcome));
    if (tokens === null) return;
    tally.tokens.add(tokens, sided(operation, side));
    instruments.tokenUsage.record(tokens, used);
  };

  const observeRequest = ({ operation, side, outcome, durationMs }: RequestParts) => {
    const attributes = ended(operation, side, outcomeLabel(outcome));
    tally.requests.add(1, attributes);
    instruments.requestDuration.record(durationMs / 1000, attributes);
  };

  const read = (result: BatchObservableResult) => {
    for (const name of counters) tally[name].observe(result, instruments[name]);
    result.observe(instruments.info, holders > 0 ? 1 : 0, { ...base, environment });
    if (concurrency !== null) result.observe(instruments.concurrency, concurrency, base);
    if (lag !== null) {
      result.observe(instruments.changesQueued, lag.queued, base);
      result.observe(instruments.changesAge, lag.oldestAgeMs / 1000, base);
      result.observe(instruments.changesSetAside, lag.setAside, base);
    }
    if (breaker === null) return;
    for (const state of LABEL_VALUES.state)
      result.observe(instruments.breaker, state === breaker ? 1 : 0, { ...base, state });
  };
  const { info, concurrency: limit, breaker: state, changesQueued, changesAge, changesSetAside } = instruments;
  const gauges = [info, limit, state, changesQueued, changesAge, changesSetAside];
  meter.addBatchObservableCallback(read, [...gauges, ...counters.map((name) => instruments[name])]);
  // from 0 on, or the first event would be no increase
  for (const guard of LABEL_VALUES.guard)
    for (const outcome of LABEL_VALUES.guard_outcome) tally.guard.add(0, guarded(guard, outcome));

  return {
    observe(event) {
      switch (event.kind) {
        case "call":
          return observeCall(event);
        case "request":
          return observeRequest(event);
        case "retry":
          return tally.retries.add(1, reasoned(event.reason));
        case "split":
          return tally.splits.add(1, base);
        case "rate_limited":
          return tally.rateLimited.add(1, base);
        case "breaker":
          breaker = event.state;
          return;
        case "concurrency":
          concurrency = event.limit;
          return;
        default:
          event satisfies never;
      }
    },
    guard: (guard, outcome) => tally.guard.add(1, guarded(guard, outcome)),
    changes: (seen) => void (lag = seen),
    storeSearched: (durationMs, outcome) =>
      instruments.storeDuration.record(durationMs / 1000, searched(outcomeLabel(outcome))),
    shadow: createShadowMetrics({ meter, instruments, labels }),
    hold: () => void holders++,
    release() {
      if (--holders > 0) return;
      // The SDK repeats the last value of a gauge that is not observed any more: a breaker that is gone must not look open.
      if (breaker !== null) breaker = "closed";
      if (concurrency !== null) concurrency = 0;
    },
  };
}

interface RequestParts {
  readonly operation: Operation;
  readonly side: string;
  readonly outcome: Outcome;
  readonly durationMs: number;
}
