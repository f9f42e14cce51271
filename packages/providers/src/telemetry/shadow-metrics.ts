import type { Attributes, Meter } from "@opentelemetry/api";
import type { TelemetryLabels } from "../telemetry-labels.js";
import type { Instruments } from "./instruments.js";
import { LABEL_VALUES, type ShadowOutcome } from "./metric-table.js";
import { Tally } from "./tally.js";

/** Metrics of a profile that is asked beside the one that serves. Absent until `on` is called. */
export interface ShadowMetrics {
  /** Whether it is asked now; false: it is configured to be, and cannot be. */
  on(is: boolean): void;
  /** One sampled query has ended. */
  ended(read: {
    outcome: ShadowOutcome;
    /** Until the candidate answered, failed or was given up; null: it was not asked. */
    durationMs: number | null;
    /** Of both lists of documents, 0 to 1; null: there is no second one. */
    overlap: number | null;
  }): void;
}

export function createShadowMetrics({
  meter,
  instruments,
  labels,
}: {
  meter: Meter;
  instruments: Pick<Instruments, "shadowOn" | "shadowReads" | "shadowOverlap" | "shadowDuration">;
  labels: TelemetryLabels;
}): ShadowMetrics {
  const { shadowOn, shadowReads, shadowOverlap, shadowDuration } = instruments;
  const base: Attributes = { ...labels };
  const ended = new Map(LABEL_VALUES.shadow_outcome.map((outcome) => [outcome, { ...base, outcome }]));
  const tally = new Tally();
  let isOn: boolean | null = null;
  meter.addBatchObservableCallback(
    (result) => {
      tally.observe(result, shadowReads);
      if (isOn !== null) result.observe(shadowOn, isOn ? 1 : 0, base);
    },
    [shadowOn, shadowReads],
  );
  return {
    on(is) {
      // from 0 on, or the first read would be no increase
      if (isOn === null) for (const attributes of ended.values()) tally.add(0, attributes);
      isOn = is;
    },
    ended({ outcome, durationMs, overlap }) {
      tally.add(1, ended.get(outcome) ?? base);
      if (durationMs !== null) shadowDuration.record(durationMs / 1000, base);
      if (overlap !== null) shadowOverlap.record(overlap, base);
    },
  };
}
