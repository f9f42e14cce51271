import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServerSchema, serverSkip, serverUrl, type ServerSchema } from "../test/server-schema.js";
import { openPostgresStore } from "./postgres-store.js";
import { openServerStore } from "./server-store.js";
import { putText } from "./testing/changing-sample.js";
import { batchOf, chunkOf, openSample, startFilling, type Filling } from "./testing/sealed-sample.js";

const ROWS = 5_200; // the least that a server indexes, and some
const DIMS = 8;
const SEAL = { dims: DIMS, similarity: "cosine", storage: "vector" } as const;

const SHORT_TIMEOUTS = "-c statement_timeout=500 -c lock_timeout=500 -c idle_in_transaction_session_timeout=500";

/** Deterministic numbers between -1 and 1. */
const numbers = (seed: number, dims = DIMS): number[] => {
  let state = seed;
  return Array.from({ length: dims }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
};

describe.skipIf(serverSkip !== "")(`an index on a server${serverSkip}`, () => {
  let opened: ServerSchema;
  beforeAll(async () => {
    opened = await openServerSchema();
  });
  afterAll(() => opened.close());

  const fill = async (): Promise<Filling> => {
    const ids = Array.from({ length: ROWS }, (_, i) => `d${String(i).padStart(5, "0")}`);
    const filling = await startFilling(opened.store, ids, { seal: SEAL });
    const documents = ids.map((documentId, i) => ({
      documentId,
      version: filling.version,
      chunks: [chunkOf(documentId, 0, numbers(i + 1))],
    }));
    await filling.writer.writeBatch(batchOf(filling, documents));
    return filling;
  };
  const indexOf = async ({ record }: Filling) => {
    const { rows } = await opened.driver.query(
      "SELECT indexrelid::bigint AS id, indisvalid AS valid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass($1)",
      [`${opened.schema}.ns_${record.id}_embedding`],
    );
    return rows;
  };

  it("is built once by two processes that ask for it at the same time, while a third writes", async () => {
    const filling = await fill();
    const other = await openServerStore({ connectionString: serverUrl(), schema: opened.schema });
    try {
      const { address, seal } = filling;
      const twin = await other.namespaces.openWriter(address, seal);
      const write = filling.writer.writeBatch(
        batchOf(filling, [
          { documentId: "d00000", version: filling.version, chunks: [chunkOf("d00000", 0, numbers(9), "new")] },
        ]),
      );
      const built = await Promise.all([filling.writer.buildIndex(), twin.buildIndex(), write]);
      expect(built.slice(0, 2)).toMatchObject([{ built: true }, { built: true }]);
      expect(built.slice(0, 2).filter((one) => "reason" in one && one.reason.includes("already"))).toHaveLength(1);
    } finally {
      await other.close();
    }
    expect(await indexOf(filling)).toMatchObject([{ valid: true }]);
    expect(await (await openSample(opened.store, filling)).index()).toBe("hnsw");
  });

  /** A writer that does not end makes a concurrent build wait in its middle. */
  const holdWriter = ({ record }: Filling) => {
    let release = () => {};
    const holding = opened.driver.transaction(async (tx) => {
      await tx.exec(`LOCK TABLE ${opened.schema}.ns_${record.id} IN ROW EXCLUSIVE MODE`);
      await new Promise<void>((resolve) => (release = resolve));
    });
    return async () => {
      release();
      await holding;
    };
  };
  /** A reader that does not end makes it wait at its end. */
  const holdSnapshot = () => {
    let release = () => {};
    const holding = opened.driver.transaction(async (tx) => {
      await tx.exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await tx.exec("SELECT 1");
      await new Promise<void>((resolve) => (release = resolve));
    });
    return async () => {
      release();
      await holding;
    };
  };
  const waitingBuild = async ({ record }: Filling): Promise<number> => {
    for (;;) {
      const { rows } = await opened.driver.query(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE $1 AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()",
        [`%CREATE INDEX CONCURRENTLY ns_${record.id}_embedding%`],
      );
      if (rows.length > 0) return Number(rows[0]?.["pid"]);
    }
  };

  it("is waited for by a process that comes in the middle of its build: one in line behind it would be what the build waits for", async () => {
    const filling = await fill();
    const release = holdWriter(filling);
    const first = filling.writer.buildIndex();
    await waitingBuild(filling);
    const second = filling.writer.buildIndex();
    await sleep(300); // it has come to where it waits
    await release();
    expect(await Promise.all([first, second])).toEqual([
      { built: true, reason: `HNSW over ${ROWS} chunks` },
      { built: true, reason: "the index was there already" },
    ]);
  });

  it("keeps no live change waiting while it is built, nor is kept waiting by one", async () => {
    const filling = await fill();
    const release = holdWriter(filling);
    const build = filling.writer.buildIndex();
    await waitingBuild(filling);
    await putText(opened.store, filling.base, "put", "meanwhile");
    await opened.store.documents.delete({
      base: filling.base,
      documentId: "put",
      version: await opened.store.documents.nextVersion(),
    });
    await release();
    expect(await build).toMatchObject({ built: true });
  }, 15_000);

  it("comes after the one that live changes ask for, also where a writer is in the middle of a batch: they would wait for it", async () => {
    const filling = await fill();
    const { driver, schema } = opened;
    const table = `${schema}.ns_${filling.record.id}`;
    const release = holdWriter(filling);
    const held = "SELECT FROM pg_locks WHERE relation = to_regclass($1) AND mode = 'RowExclusiveLock' AND granted";
    while ((await driver.query(held, [table])).rows.length === 0);
    const build = filling.writer.buildIndex();
    await sleep(500);
    await release();
    expect(await build).toMatchObject({ built: true });
    const { rows } = await driver.query("SELECT to_regclass($1) IS NOT NULL AS made", [`${table}_content`]);
    expect(rows).toEqual([{ made: true }]);
  });

  it.each(["lives", "is dead"])(
    "is ended when its namespace is dropped, whether who asked for it %s",
    async (asker) => {
      const filling = await fill();
      const { driver, schema, store } = opened;
      const { id } = filling.record;
      const release = holdSnapshot();
      const ended = (
        asker === "lives"
          ? filling.writer.buildIndex()
          : driver.maintain(
              `CREATE INDEX CONCURRENTLY ns_${id}_embedding ON ${schema}.ns_${id} USING hnsw (embedding vector_cosine_ops)`,
              {},
            )
      ).then(
        () => null,
        (error: unknown) => error,
      );
      await waitingBuild(filling);
      await store.namespaces.retire(id);
      expect(await ended).toMatchObject({ context: { sqlState: "57014" } });
      const { rows } = await driver.query("SELECT to_regclass($1) AS left", [`${schema}.ns_${id}`]);
      expect(rows).toEqual([{ left: null }]);
      await release();
    },
  );

  it.each(["a writer", "another builder"])(
    "ends with the reason that it is given while it waits for %s",
    async (whom) => {
      const filling = await fill();
      const release = holdWriter(filling);
      const first = whom === "another builder" ? filling.writer.buildIndex() : null;
      if (first !== null) await waitingBuild(filling);
      const stop = new AbortController();
      const waiting = filling.writer.buildIndex({ signal: stop.signal });
      setTimeout(() => stop.abort(new Error("enough")), 300);
      await expect(waiting).rejects.toThrow("enough");
      await release();
      await first;
    },
  );

  it("is built however short the timeouts of the database are", async () => {
    const filling = await fill();
    const { schema } = opened;
    const address = new URL(serverUrl());
    address.searchParams.set("options", SHORT_TIMEOUTS);
    const store = await openServerStore({ connectionString: address.href, schema });
    try {
      const writer = await store.namespaces.openWriter(filling.address, filling.seal);
      const release = holdWriter(filling);
      const build = writer.buildIndex();
      await waitingBuild(filling);
      await sleep(1_000);
      await release();
      expect(await build).toMatchObject({ built: true });
    } finally {
      await store.close();
    }
  });

  it("is waited for when the process that asked for it is dead, and the server goes on building", async () => {
    const filling = await fill();
    const { driver, schema } = opened;
    const release = holdWriter(filling);
    const orphan = driver.maintain(
      `CREATE INDEX CONCURRENTLY ns_${filling.record.id}_embedding ON ${schema}.ns_${filling.record.id} USING hnsw (embedding vector_cosine_ops)`,
      {},
    );
    await waitingBuild(filling);
    const next = filling.writer.buildIndex();
    await sleep(300);
    await release();
    await orphan;
    expect(await next).toEqual({ built: true, reason: "the index was there already" });
    expect(await indexOf(filling)).toMatchObject([{ valid: true }]);
  });

  it("that was cut off half way is found, dropped and built anew", async () => {
    const filling = await fill();
    const release = holdWriter(filling);
    const cut = filling.writer.buildIndex().then(
      () => "built",
      (error: unknown) => error,
    );
    const pid = await waitingBuild(filling);
    await opened.driver.query("SELECT pg_cancel_backend($1::integer)", [pid]);
    expect(await cut).toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
    await release();
    const [invalid] = await indexOf(filling);
    expect(invalid).toMatchObject({ valid: false });

    expect(await filling.writer.buildIndex()).toMatchObject({ built: true });
    const [valid] = await indexOf(filling);
    expect(valid).toMatchObject({ valid: true });
    expect(valid?.["id"]).not.toBe(invalid?.["id"]);
  });

  it.each([
    [2_001, "halfvec", true],
    [4_000, "halfvec", true],
    [4_001, "halfvec", false],
    [2_001, "vector", false],
    [4_001, "vector", false],
  ] as const)("%i dims as %s: indexed is %s, and found either way", async (dims, storage, indexed) => {
    const { driver, schema } = opened;
    const early = { ...driver, capabilities: { ...driver.capabilities, minIndexedRows: 20 } };
    const store = await openPostgresStore(early, { schema });
    const ids = Array.from({ length: 24 }, (_, i) => `d${i}`);
    const filling = await startFilling(store, ids, { seal: { dims, similarity: "cosine", storage } });
    const wide = (seed: number) => numbers(seed, dims);
    const documents = ids.map((documentId, i) => ({
      documentId,
      version: filling.version,
      chunks: [chunkOf(documentId, 0, wide(i + 1))],
    }));
    await filling.writer.writeBatch(batchOf(filling, documents));
    const exact = `search is exact: ${dims} dims are more than the index takes for ${storage} (${storage === "vector" ? 2000 : 4000})`;
    expect(await filling.writer.buildIndex()).toEqual(
      indexed ? { built: true, reason: "HNSW over 24 chunks" } : { built: false, reason: exact },
    );
    const reader = await openSample(store, filling);
    expect(await reader.index()).toBe(indexed ? "hnsw" : "none");
    const [best] = await reader.searchDense({ vector: new Float32Array(wide(5)), limit: 3 });
    expect(best).toMatchObject({ documentId: "d4" });
    expect(best?.score).toBeCloseTo(1, 3);
  });

  it("below pgvector 0.8.2 is built by one process only", async () => {
    const filling = await fill();
    await filling.writer.buildIndex();
    const { rows } = await opened.driver.query(
      "SELECT reloptions, (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS version FROM pg_class WHERE oid = to_regclass($1)",
      [`${opened.schema}.ns_${filling.record.id}`],
    );
    const [row] = rows;
    const old = /^0\.8\.[01]$/.test(String(row?.["version"]));
    expect(String(row?.["reloptions"]).includes("parallel_workers=0")).toBe(old);
  });
});
