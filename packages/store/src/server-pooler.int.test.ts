import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServerDriver } from "./server-driver.js";
import { openServerStore } from "./server-store.js";
import { openPostgresStore } from "./postgres-store.js";
import type { SqlDriver } from "./sql-driver.js";
import type { Store } from "./store.js";
import { storeContract, type StoreCheck } from "./testing/index.js";
import { batchOf, chunkOf, openSample, startFilling } from "./testing/sealed-sample.js";

/** pgbouncer in transaction mode; `scripts/with-postgres` starts one where it can be had. */
const poolerUrl = process.env["TEST_POOLER_URL"]?.trim() ?? "";
const skip = poolerUrl === "" ? " (skipped: TEST_POOLER_URL is not set)" : "";

describe.skipIf(skip !== "")(`a pooler in transaction mode in between${skip}`, () => {
  const schema = `emb_test_${randomBytes(6).toString("hex")}`;
  let store: Store;
  let driver: SqlDriver;
  beforeAll(async () => {
    store = await openServerStore({ connectionString: poolerUrl, schema });
    driver = await createServerDriver({ connectionString: poolerUrl, maxConnections: 4 });
  });
  afterAll(async () => {
    await store.close();
    await driver.exec(`DROP SCHEMA ${schema} CASCADE`);
    await driver.close();
  });

  describe("keeps every promise of the port", () => {
    for (const [promise, check] of Object.entries<StoreCheck>(storeContract)) it(promise, () => check(store));
  });

  it("builds an index beside writers, and leaves no setting behind in the pooler's sessions", async () => {
    const early = { ...driver, capabilities: { ...driver.capabilities, minIndexedRows: 30 } };
    const opened = await openPostgresStore(early, { schema });
    const ids = Array.from({ length: 40 }, (_, i) => `d${i}`);
    const filling = await startFilling(opened, ids);
    const documents = ids.map((documentId, i) => ({
      documentId,
      version: filling.version,
      chunks: [chunkOf(documentId, 0, [i + 1, 1, i % 7, 2])],
    }));
    await filling.writer.writeBatch(batchOf(filling, documents));
    expect(await filling.writer.buildIndex()).toEqual({ built: true, reason: "HNSW over 40 chunks" });
    expect(await (await openSample(opened, filling)).index()).toBe("hnsw");

    // several transactions at once, so that each looks into another of the pooler's sessions
    const looks = await Promise.all(
      Array.from({ length: 4 }, () =>
        driver.transaction(async (tx) => {
          await tx.exec("SELECT pg_sleep(0.05)");
          return (await tx.query("SELECT current_setting('maintenance_work_mem') AS memory")).rows[0]?.["memory"];
        }),
      ),
    );
    expect(looks).toEqual(looks.map(() => "64MB"));
  });
});
