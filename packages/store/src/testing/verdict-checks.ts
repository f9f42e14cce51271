import assert from "node:assert/strict";
import type { KeptVerdict, VerdictRecord } from "../verdicts.js";
import type { StoreCheck } from "./namespace-checks.js";
import { newBase } from "./sealed-sample.js";

const recordOf = (base: string, changes: Partial<VerdictRecord> = {}): VerdictRecord => ({
  verdict: "NO-GO",
  environment: "test",
  actor: "check@here",
  base,
  baseline: { profile: "first", namespace: `${base}_first`, fingerprint: "a".repeat(64) },
  candidate: { profile: "second", namespace: null, fingerprint: null },
  metric: "ndcg@10",
  margin: 0.01,
  alpha: 0.05,
  seed: 1,
  queries: 2_910,
  difference: -0.215_000_000_000_000_02,
  lower: -0.23,
  upper: -1e-9,
  queriesNeeded: null,
  reasons: ['slice "ü": worse', "overall: worse"],
  inputs: { queries: "b".repeat(64), qrels: "c".repeat(64) },
  ...changes,
});

/** Checks of the ledger of verdicts. */
export const verdictChecks = {
  "a verdict is kept as it came, to the last digit": async (store) => {
    const record = recordOf(newBase());
    const { id, at, ...kept } = await store.verdicts.keep(record);
    assert.deepEqual(kept, record);
    assert.deepEqual(await store.verdicts.list({ limit: 10, base: record.base }), [{ ...record, id, at }]);
  },
  "verdicts are listed newest first, as many as asked for": async (store) => {
    const base = newBase();
    const kept: KeptVerdict[] = [];
    for (const verdict of ["GO", "NO-GO", "INCONCLUSIVE"] as const)
      kept.push(await store.verdicts.keep(recordOf(base, { verdict })));
    assert.ok(kept.every(({ id }, place) => place === 0 || id > kept[place - 1]!.id));
    assert.deepEqual(await store.verdicts.list({ limit: 10, base }), kept.toReversed());
    assert.deepEqual(await store.verdicts.list({ limit: 2, base }), kept.toReversed().slice(0, 2));
    assert.deepEqual((await store.verdicts.list({ limit: 1 }))[0], kept[2]);
  },
  "verdicts are listed by base and by either profile": async (store) => {
    const [base, other] = [newBase(), newBase()];
    const side = (profile: string) => ({ profile, namespace: null, fingerprint: null });
    const forward = await store.verdicts.keep(recordOf(base));
    const back = await store.verdicts.keep(recordOf(base, { baseline: side("second"), candidate: side("first") }));
    await store.verdicts.keep(recordOf(other));
    assert.deepEqual(await store.verdicts.list({ limit: 10, base }), [back, forward]);
    assert.deepEqual(await store.verdicts.list({ limit: 10, base, baseline: "first" }), [forward]);
    assert.deepEqual(await store.verdicts.list({ limit: 10, base, candidate: "first" }), [back]);
  },
} satisfies Record<string, StoreCheck>;
