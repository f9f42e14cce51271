import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adopt, type AdoptSetup } from "./adopt.js";
import { continueRun } from "./continue-run.js";
import { reingest } from "./reingest.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";
import { STORED_DOCUMENTS } from "./source.js";
import { WHOLE_TEXTS } from "./whole-texts.js";

let world: SmallWorld;
beforeAll(async () => (world = await openSmallWorld()), 60_000);
afterAll(() => world.close());

const TEXTS = Object.values(TEN);

/** A table as another program would have made it, filled by the profile's model. */
async function fillTable(name: string, change: (vector: number[], row: number) => number[] | null = (same) => same) {
  const { provider, signal } = await world.setup("unused", sourceOf("unused", {}));
  const { dense, dims } = await provider.embedDocuments(TEXTS, { signal });
  await world.byHand(`CREATE TABLE "${name}" (key integer, "the body" text, v vector)`);
  for (const [row, text] of TEXTS.entries()) {
    const vector = change([...dense.subarray(row * dims, (row + 1) * dims)], row);
    await world.byHand(`INSERT INTO "${name}" VALUES ($1::integer, $2, $3::vector)`, [
      row,
      text,
      vector === null ? null : JSON.stringify(vector),
    ]);
  }
}

const setupOf = async (base: string, table: string, more: Partial<AdoptSetup> = {}): Promise<AdoptSetup> => ({
  ...(await world.setup(base, sourceOf("unused", {}))),
  table: { table, idColumn: "key", textColumn: "the body", vectorColumn: "v" },
  sampleTexts: 4,
  ...more,
});

const raise = (now: boolean) => {
  if (now) throw new Error("killed");
};

describe("adopting a table", { timeout: 120_000 }, () => {
  it("embeds a sample, not the corpus, and the namespace is ready and can be refilled", async () => {
    await fillTable("my items");
    const report = await adopt(await setupOf("items", "public.my items"));
    expect(report).toMatchObject({
      run: { state: "ready", counters: { embedded: 0 } },
      record: { namespace: "items_one", seal: { chunkerId: "whole-1", profile: "one" } },
      rows: 10,
      documents: 10,
      setAside: 0,
      textsEmbedded: 4,
      verification: { ok: true, expected: 10, found: 10, driftPct: 0 },
    });
    expect(report.minCosine).toBeGreaterThan(0.9999);
    expect(world.embedded()).toHaveLength(4);
    expect(new Set(world.embedded()).size).toBe(4);

    const again = await reingest(await world.setup("items", STORED_DOCUMENTS));
    expect(again).toMatchObject({ state: "ready", chunks: { total: 10, embedded: 0 } });
    const other = await reingest(await world.setup("items", STORED_DOCUMENTS, { profile: "two" }));
    expect(other).toMatchObject({ state: "ready", documents: 10, chunks: { embedded: 10 } });
    const [adopted] = (await world.store.audit.list({ limit: 50, action: "namespace.adopted" })).map(
      ({ detail }) => detail,
    );
    expect(adopted).toMatchObject({ table: "public.my items", documents: 10, texts_embedded: 4 });
  });

  it("twice at once makes one namespace: whoever comes second is told", async () => {
    await fillTable("at once");
    const setups = await Promise.all([setupOf("at-once", "at once"), setupOf("at-once", "at once")]);
    const adopted = await Promise.allSettled(setups.map((setup) => adopt(setup)));
    expect(adopted.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(adopted.find(({ status }) => status === "fulfilled")).toMatchObject({
      value: { run: { state: "ready" }, verification: { ok: true, found: 10 } },
    });
    expect(adopted.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "EMB_USAGE" } });
    expect((await world.store.namespaces.list("at-once")).map(({ state }) => state)).toEqual(["ready"]);
    expect(await world.store.runs.list({ base: "at-once" })).toHaveLength(1);
  });

  it("that another model filled is refused, and nothing is made", async () => {
    await fillTable("other model", (vector, row) => (row === 3 ? vector.toReversed() : vector));
    await expect(adopt(await setupOf("wrong", "other model", { sampleTexts: 10 }))).rejects.toMatchObject({
      code: "EMB_WITNESS_FAILED",
      message: expect.stringContaining("of 10 sampled texts (cosine >= 0.999), 1 differ"),
    });
    expect(await world.store.namespaces.list("wrong")).toEqual([]);
    expect(await world.store.documents.count("wrong")).toEqual({ live: 0, deleted: 0 });
  });

  it("whose vectors are not normalised, as the profile says, is refused before a text is embedded", async () => {
    await fillTable("scaled", (vector, row) => (row === 4 ? vector.map((component) => component * 3) : vector));
    await expect(adopt(await setupOf("scaled", "scaled", { sampleTexts: 10 }))).rejects.toMatchObject({
      code: "EMB_SOURCE_INVALID",
      message: "table scaled: expected vectors of length 1, as profile one says, found 1 of 10 sampled ones of another",
    });
    expect(world.embedded()).toEqual([]);
    expect(await world.store.namespaces.list("scaled")).toEqual([]);
  });

  it("names the rows that it cannot take, and is ready only when they are accepted", async () => {
    await fillTable("gaps", (vector, row) => (row === 2 ? null : vector));
    await world.byHand(`UPDATE gaps SET key = 5 WHERE key = 6`);
    await world.byHand(`UPDATE gaps SET "the body" = E'  \\n ' WHERE key = 7`);
    await world.byHand(`UPDATE gaps SET key = NULL WHERE key = 8`);
    const report = await adopt(await setupOf("gaps", "gaps", { acceptFailures: 5 }));
    expect(report).toMatchObject({ run: { state: "ready" }, rows: 10, documents: 5, setAside: 5 });
    const failures = await world.store.runs.failures(report.run.id, 100);
    expect(failures.map(({ documentId, reason }) => [documentId, reason])).toEqual([
      ["2", "expected a vector, found none"],
      ["5", "expected an id that no other row has"],
      ["7", "expected a text, found none"],
      ["row without id", "expected an id, found none"],
    ]);
    // every row counts, also where two have no id to be told apart by
    await expect(adopt(await setupOf("gaps-again", "gaps", { acceptFailures: 4 }))).rejects.toMatchObject({
      code: "EMB_SOURCE_INVALID",
      message:
        "table gaps: expected at most 4 rows that cannot be taken, found 5, among them 2 (expected a vector, found none), " +
        "5 (expected an id that no other row has), 5 (expected an id that no other row has)",
    });
    expect(await world.store.namespaces.list("gaps-again")).toEqual([]);
    expect(await world.store.documents.count("gaps-again")).toEqual({ live: 0, deleted: 0 });
    expect(world.embedded()).toEqual([]);
  });

  it("that was cut short says how to go on", async () => {
    const killed = { onProgress: ({ kind }: { kind: string }) => raise(kind === "index") };
    await expect(adopt(await setupOf("killed", "my items", killed))).rejects.toThrow("killed");
    const [run] = await world.store.runs.list({ base: "killed" });
    const again = async () =>
      adopt(await setupOf("killed", "my items")).catch(({ code, hint }: { code: string; hint: string }) => [
        code,
        hint,
      ]);
    expect(await again()).toEqual(["EMB_USAGE", expect.stringContaining(`go on with emb runs resume ${run!.id}`)]);
    await world.byHand(`UPDATE emb.runs SET intake_done = false WHERE id = '${run!.id}'`); // as killed within the copy
    expect(await again()).toEqual(["EMB_USAGE", expect.stringContaining(`emb runs abort ${run!.id}, then adopt it`)]);
  });

  it.each(["leftOut", "recordFailures", "append", "copy", "acceptFailures", "get"])(
    "that was killed in %s has taken the whole table and goes on, or nothing and is aborted",
    async (killedIn) => {
      const killed: object = { [killedIn]: () => Promise.reject(new Error("killed")) };
      const base = `killed-${killedIn}`;
      const setup = await setupOf(base, "gaps");
      const { adoption, runs, audit } = setup.store;
      const store = {
        ...setup.store,
        adoption: { ...adoption, ...killed },
        runs: { ...runs, ...killed },
        audit: { ...audit, ...killed },
      };
      await adopt({ ...setup, store, acceptFailures: 5 }).catch(() => null);
      const [run] = await world.store.runs.list({ base });
      const { live } = await world.store.documents.count(base);
      expect({ live, intakeDone: run?.intakeDone }).toEqual(
        live > 0 ? { live: 5, intakeDone: true } : { live: 0, intakeDone: false },
      );
      if (live === 0 || run?.state === "ready") return;
      const [record] = await world.store.namespaces.list(base);
      expect(await continueRun({ ...setup, chunker: WHOLE_TEXTS }, run!, record!)).toMatchObject({
        run: { state: "ready" },
        verification: { ok: true, found: 5, setAside: 4 },
      });
      const adopted = await world.store.audit.list({ limit: 50, action: "namespace.adopted" });
      expect(adopted.filter(({ detail }) => detail["run_id"] === run!.id)).toEqual([
        expect.objectContaining({
          detail: expect.objectContaining({ table: "gaps", documents: 5, set_aside: 5, texts_embedded: 4 }),
        }),
      ]);
    },
  );

  it.each<[string, Partial<AdoptSetup["table"]>, string, RegExp]>([
    ["no such table", { table: "nothing" }, "EMB_SOURCE_INVALID", /no such table/],
    ["a name of three parts", { table: "postgres.public.my items" }, "EMB_SOURCE_INVALID", /expected TABLE or SCHEMA/],
    ["a name without its end", { table: "public." }, "EMB_SOURCE_INVALID", /expected TABLE or SCHEMA.TABLE/],
    ["a name that would break out", { table: 'x"; DROP TABLE y; --' }, "EMB_SOURCE_INVALID", /no such table/],
    ["no such column", { textColumn: "body" }, "EMB_SOURCE_INVALID", /expected a column body, seen key, the body, v/],
    [
      "a column that holds no vectors",
      { vectorColumn: "key" },
      "EMB_SOURCE_INVALID",
      /expected type vector or halfvec, seen integer/,
    ],
  ])("is refused for %s", async (_what, change, code, message) => {
    const setup = await setupOf("refused", "my items");
    await expect(adopt({ ...setup, table: { ...setup.table, ...change } })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it("is refused for vectors of other dims, an empty table, and a base that is in use", async () => {
    await fillTable("short", (vector) => vector.slice(0, 3));
    await expect(adopt(await setupOf("refused", "short"))).rejects.toMatchObject({ code: "EMB_VECTOR_INVALID" });
    await fillTable("mixed", (vector, row) => (row === 9 ? vector.slice(0, 3) : vector));
    await expect(adopt(await setupOf("refused", "mixed", { sampleTexts: 1 }))).rejects.toMatchObject({
      code: "EMB_VECTOR_INVALID",
    });
    expect((await world.store.namespaces.list("refused")).map(({ state }) => state)).toEqual(["retired"]);
    const [refused] = await world.store.runs.list({ base: "refused" });
    const [aborted] = await world.store.audit.list({ limit: 1, action: "run.aborted" });
    expect(aborted?.detail).toMatchObject({ run_id: refused!.id, dropped: true });
    await world.byHand('CREATE TABLE bare (key integer, "the body" text, v vector)');
    await expect(adopt(await setupOf("refused", "bare"))).rejects.toMatchObject({ code: "EMB_SOURCE_EMPTY" });
    await expect(adopt(await setupOf("items", "my items"))).rejects.toMatchObject({ code: "EMB_USAGE" });
  });
});
