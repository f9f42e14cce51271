import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { openServerSchema, serverSkip, serverUrl, type ServerSchema } from "../test/server-schema.js";
import { openPostgresStore } from "./postgres-store.js";
import type { SqlDriver } from "./sql-driver.js";
import { batchOf, chunksOf, startFilling, type Filling } from "./testing/sealed-sample.js";

describe.skipIf(serverSkip !== "")(`a holder that falls silent in the middle of a batch${serverSkip}`, () => {
  let opened: ServerSchema;
  beforeAll(async () => {
    opened = await openServerSchema();
  });
  afterAll(() => opened.close());

  const claimedByAnother = async (filling: Filling) => {
    const claim = () => opened.store.runs.claimShard(filling.runId, { owner: "other", leaseMs: 400 });
    const taken = { shard: 0, cursor: null, fencingToken: 2n };
    await expect.poll(claim, { timeout: 5_000, interval: 50 }).toMatchObject(taken);
  };
  const outcomeOf = (filling: Filling) =>
    filling.writer.writeBatch(batchOf(filling, [chunksOf("a", filling.version)])).then(
      () => "written",
      (error: unknown) => error,
    );

  it("loses its locks when its lease is over, and another takes the shard", async () => {
    const { driver, schema } = opened;
    let wake = () => {};
    let woken: Promise<void> = Promise.resolve();
    const silent: SqlDriver = {
      ...driver,
      transaction: (work) =>
        driver.transaction((tx) => work({ ...tx, copyIn: (...copy) => woken.then(() => tx.copyIn(...copy)) })),
    };
    const filling = await startFilling(await openPostgresStore(silent, { schema }), ["a"], { leaseMs: 400 });
    woken = new Promise((resolve) => (wake = resolve));
    const writing = outcomeOf(filling);
    await claimedByAnother(filling);
    wake();
    expect(await writing).toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
    expect(await filling.writer.readKeys(["a"])).toEqual([]);
  });

  it("also when the server waits for the data of a COPY", async () => {
    const { driver, schema, store } = opened;
    const filling = await startFilling(store, ["a"], { leaseMs: 400 });
    const frozen = new Client({ connectionString: serverUrl() });
    await frozen.connect();
    const lost = new Promise<unknown>((resolve) => void frozen.once("error", resolve));
    await frozen.query("BEGIN");
    await frozen.query(`UPDATE ${schema}.shards SET cursor_id = 'a' WHERE run_id = $1`, [filling.runId]);
    const copy = frozen.query(copyFrom(`COPY ${schema}.ns_${filling.record.id} FROM STDIN`));
    copy.on("error", () => undefined);
    await claimedByAnother(filling);
    await lost;
    const { rows } = await driver.query(`SELECT cursor_id FROM ${schema}.shards WHERE run_id = $1`, [filling.runId]);
    expect(rows).toEqual([{ cursor_id: null }]);
  });

  it("a session that is ended while it waits within a COPY is one error, not the end of the process", async () => {
    const { driver, schema, store } = opened;
    const filling = await startFilling(store, ["a"]);
    const table = `${schema}.ns_${filling.record.id}`;
    let release = () => {};
    const holding = driver.transaction(async (tx) => {
      await tx.exec(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      await new Promise<void>((resolve) => (release = resolve));
    });
    const writing = driver
      .transaction((tx) => tx.copyIn({ table, columns: ["document_id"] }, new Uint8Array(4_000_000)))
      .then(
        () => "written",
        (error: unknown) => error,
      );
    const end = async () =>
      (
        await driver.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1",
          [`COPY ${table} %`],
        )
      ).affected;
    await expect.poll(end, { timeout: 5_000 }).toBe(1);
    expect(await writing).toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
    release();
    await holding;
    await new Promise((resolve) => void setTimeout(resolve, 100)); // an error without a listener would come now
  });

  it("a COPY that is refused while its data is still on the way is one error as well", async () => {
    const { driver, schema, store } = opened;
    const filling = await startFilling(store, ["a"]);
    const table = `${schema}.ns_${filling.record.id}`;
    const refused = driver.transaction((tx) =>
      tx.copyIn({ table, columns: ["document_id"] }, new Uint8Array(64_000_000)),
    );
    await expect(refused).rejects.toThrow(/COPY file signature not recognized/);
    await new Promise((resolve) => void setTimeout(resolve, 300)); // an exception in the socket's own events would come now
    expect((await driver.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });
});
