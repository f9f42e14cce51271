import { describe, expect, it } from "vitest";
import type { Run, RunState } from "@emb/store";
import { decideRollback } from "./rollback.js";
import { namespaceOf, runOf } from "./store-records.test-data.js";

const record = namespaceOf({ id: 1 });
const run = (id: string, namespaceId: number, state: RunState): Run => runOf({ id, namespaceId, state });
const ask = (more: Partial<Parameters<typeof decideRollback>[0]>) =>
  decideRollback({
    to: "old",
    record,
    expectedFingerprint: "f".repeat(64),
    lag: 0,
    acceptStale: false,
    runs: [],
    ...more,
  });

describe("decideRollback", () => {
  it("lets a ready, sealed and fresh namespace serve, and ends the fills of the others only", () => {
    const runs = [
      run("own", 1, "fill"),
      run("other", 2, "fill"),
      run("paused", 3, "paused"),
      run("done", 2, "ready"),
      run("failed", 2, "failed"),
    ];
    const decision = ask({ runs });
    expect(decision.ok && decision.endRuns.map(({ id }) => id)).toEqual(["other", "paused"]);
  });

  it.each([
    ["no namespace", { record: null }, "has no namespace"],
    ["not verified", { record: { ...record, state: "filling" as const } }, "expected state ready, seen filling"],
    ["retired", { record: { ...record, state: "retired" as const } }, "seen retired"],
    ["another seal", { expectedFingerprint: "e".repeat(64) }, "expected fingerprint eeeeeeeeeeee, seen ffffffffffff"],
    ["behind by one", { lag: 1 }, "expected lag 0, seen 1"],
  ])("refuses when there is %s", (_name, more, reason) => {
    const decision = ask(more);
    expect(decision.ok).toBe(false);
    expect(!decision.ok && decision.reasons.join()).toContain(reason);
  });

  it("goes back to a namespace that is behind only when told so", () => {
    expect(ask({ lag: 1, acceptStale: true }).ok).toBe(true);
    expect(ask({ lag: 1, acceptStale: true, record: { ...record, state: "filling" } }).ok).toBe(false);
  });
});
