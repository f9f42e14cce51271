import { describe, expect, it } from "vitest";
import type { Reader, Run, RunState } from "@emb/store";
import { reasonsToKeep, type ConfiguredUse } from "./retire.js";
import { namespaceOf, runOf } from "./store-records.test-data.js";

const record = namespaceOf();
const configured = (change: Partial<ConfiguredUse> = {}): ConfiguredUse => ({
  environment: "staging",
  use: "baseline",
  profile: "old",
  base: "docs",
  suffix: "old",
  ...change,
});
const run = (state: RunState, namespaceId = 7): Run => runOf({ id: `run-${state}`, namespaceId, state });
const reader = (change: Partial<Reader> = {}): Reader => ({
  instance: "host-1",
  environment: "production",
  base: "docs",
  namespace: "docs_old",
  profile: "old",
  use: "serving",
  startedAt: new Date(0),
  seenAt: new Date(0),
  ...change,
});

const NOTHING = { record, configured: [], unreadable: [], runs: [], readers: [] };

describe("a namespace is kept", () => {
  it.each([
    ["as a baseline", { configured: [configured()] }, "environment staging: its baseline profile old lives there"],
    [
      "as a canary",
      { configured: [configured({ use: "canary", environment: "production" })] },
      "environment production: its canary profile old lives there",
    ],
    [
      "while a configuration cannot be read",
      { unreadable: [{ environment: "staging", why: "EMB_YAML_SYNTAX" }] },
      "environment staging: its configuration cannot be read, so it may use it (EMB_YAML_SYNTAX)",
    ],
    ["by a paused run", { runs: [run("paused")] }, "run run-paused: expected none unfinished, seen paused"],
    ["by a reader", { readers: [reader()] }, "reader host-1 (production): read it at 1970-01-01T00:00:00.000Z"],
    [
      "by a shadow",
      { readers: [reader({ use: "shadow" })] },
      "reader host-1 (production): read it at 1970-01-01T00:00:00.000Z",
    ],
  ])("%s", (_name, use, reason) => {
    expect(reasonsToKeep({ ...NOTHING, ...use })).toEqual([reason]);
  });

  it("for every reason at once", () => {
    const all = { configured: [configured()], runs: [run("fill")], readers: [reader()] };
    expect(reasonsToKeep({ ...NOTHING, ...all })).toHaveLength(3);
  });
});

it("a namespace may go when only others are used, and its runs have ended", () => {
  expect(
    reasonsToKeep({
      ...NOTHING,
      // docs_old of another base has the same name and is another namespace
      configured: [
        configured({ suffix: "new" }),
        configured({ base: "docs_old", suffix: "" }),
        configured({ base: "notes" }),
      ],
      runs: [run("ready"), run("failed"), run("fill", 8)],
      readers: [reader({ namespace: "docs_new" }), reader({ base: "docs_old" })],
    }),
  ).toEqual([]);
});
