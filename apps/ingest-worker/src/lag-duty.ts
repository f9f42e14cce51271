import { telemetryContext } from "@emb/query";
import type { ProfileTelemetry } from "@emb/providers/telemetry";
import type { Duty, WorkerContext } from "./duty.js";

const LOOK_MS = 10_000;
const NONE = { queued: 0, oldestAgeMs: 0, setAside: 0 };

/** Measures what every namespace has still to show, whether or not anybody gets on with it. */
export function createLagDuty({ settings, store, telemetry }: WorkerContext): Duty {
  const shown = new Map<number, ProfileTelemetry>();
  return {
    name: "lag",
    lookMs: LOOK_MS,
    async step() {
      const counts = new Map((await store.changes.counts()).map((lag) => [lag.namespaceId, lag]));
      for (const { id, state, namespace, seal } of await store.namespaces.list()) {
        const profile = settings.manifest.profiles.get(seal.profile);
        if (profile === undefined || (state === "retired" && !shown.has(id))) continue;
        let own = shown.get(id);
        if (own === undefined) {
          shown.set(id, (own = telemetry.profile(telemetryContext(settings, profile, namespace))));
          own.close(); // measured, not held
        }
        own.changes(counts.get(id) ?? NONE);
      }
      return false;
    },
  };
}
