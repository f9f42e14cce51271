import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServerSchema, serverSkip, type ServerSchema } from "../test/server-schema.js";
import { openPostgresStore } from "./postgres-store.js";
import type { SqlDriver } from "./sql-driver.js";
import { batchOf, chunksOf, startFilling } from "./testing/sealed-sample.js";

describe.skipIf(serverSkip !== "")(`a holder that falls silent in the middle of a batch${serverSkip}`, () => {
  let opened: ServerSchema;
  beforeAll(async () => {
    opened = await openServerSchema();
  });
  afterAll(() => opened.close());

  it("loses its locks when its lease is over, and another takes the shard", async () => {
    const { driver, schema, store } = opened;
    let wake = () => {};
    let woken: Promise<void> = Promise.resolve();
    const silent: SqlDriver = {
      ...driver,
      transaction: (work) =>
        driver.transaction((tx) => work({ ...tx, copyIn: (...copy) => woken.then(() => tx.copyIn(...copy)) })),
    };
    const filling = await startFilling(await openPostgresStore(silent, { schema }), ["a"], { leaseMs: 400 });
    woken = new Promise((resolve) => (wake = resolve));
    const writing = filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)])).then(
      () => "written",
      (error: unknown) => error,
    );
    const claim = () => store.runs.claimShard(filling.runId, { owner: "other", leaseMs: 60_000 });
    await expect
      .poll(claim, { timeout: 5_000, interval: 50 })
      .toMatchObject({ shard: 0, cursor: null, fencingToken: 2n });
    wake();
    expect(await writing).toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
    expect(await filling.writer.readKeys(["a"])).toEqual([]);
  });
});
