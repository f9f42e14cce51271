import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServerSchema, serverSkip, type ServerSchema } from "../test/server-schema.js";
import { queueChanges } from "./postgres-changes.js";
import { startFilling } from "./testing/sealed-sample.js";

describe.skipIf(serverSkip !== "")(`retiring beside live changes${serverSkip}`, () => {
  let opened: ServerSchema;
  beforeAll(async () => (opened = await openServerSchema()));
  afterAll(() => opened.close());

  it("leaves nothing queued, also of a change that is about to be committed", async () => {
    const { store, driver, schema } = opened;
    const { base, record } = await startFilling(store, ["a"]);
    let retired = false;
    let retiring = Promise.resolve();
    await driver.transaction(async (tx) => {
      await queueChanges(tx, schema, { base, documentIds: ["a"] });
      retiring = store.namespaces.retire(record.id).then(() => void (retired = true));
      await sleep(300);
      expect(retired).toBe(false); // it waits for what may still be queued
    });
    await retiring;
    expect(await store.changes.counts()).toEqual([]);
  });
});
