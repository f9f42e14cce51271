import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Profile } from "@emb/manifest";
import type { NamespaceReader, StoredChunkFacts } from "@emb/store";
import { documentHash } from "./content-hash.js";
import { expectedSeal } from "./open-target.js";
import { reingest } from "./reingest.js";
import { LIMITS, openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";
import { verifyNamespace, type Verification } from "./verify-namespace.js";

describe("verifyNamespace", { timeout: 120_000 }, () => {
  let world: SmallWorld;
  beforeAll(async () => {
    world = await openSmallWorld();
  }, 60_000);
  afterAll(() => world.close());

  const open = async (base: string, profile: Profile) => {
    const [record] = await world.store.namespaces.list(base);
    return world.store.namespaces.openReader(record!, expectedSeal(profile), { strict: true });
  };

  /** Fills ten documents, lets `change` touch the system of record, and verifies; `alter` changes rows as a damaged store would give them. */
  const verifyAfter = async (
    base: string,
    change: (base: string) => Promise<void>,
    alter: (row: StoredChunkFacts) => StoredChunkFacts[] = (row) => [row],
  ): Promise<Verification> => {
    const setup = await world.setup(base, sourceOf(`test:${base}`, TEN));
    await reingest(setup);
    await change(base);
    const opened = await open(base, setup.provider.profile);
    const reader: NamespaceReader = { ...opened, scan: async (page) => (await opened.scan(page)).flatMap(alter) };
    const { provider, chunker, signal } = setup;
    return verifyNamespace({
      documents: world.store.documents,
      reader,
      provider,
      chunker,
      setAside: [],
      acceptFailures: 0,
      limits: LIMITS,
      signal,
    });
  };

  const put = async (base: string, id: string, text: string) => {
    const document = { title: null, format: "text" as const, text, metadata: {} };
    const version = await world.store.documents.nextVersion();
    const documents = [{ id, ...document, version, contentHash: documentHash(document) }];
    await world.store.documents.intake({
      base,
      runId: "00000000-0000-4000-8000-000000000000",
      source: `test:${base}`,
      documents,
    });
  };
  /** The queue forgets them, as no program of emb does. */
  const loseChanges = async (base: string) => {
    const [record] = await world.store.namespaces.list(base);
    expect(await world.byHand("DELETE FROM emb.changes WHERE namespace_id = $1", [record!.id])).toBe(1);
  };
  const failing = ({ checks }: Verification) => checks.filter(({ ok }) => !ok).map(({ name }) => name);

  it("finds nothing wrong with a fresh fill", async () => {
    const result = await verifyAfter("fresh", async () => {});
    expect(result).toMatchObject({
      ok: true,
      expected: 10,
      found: 10,
      missing: 0,
      duplicate: 0,
      stale: 0,
      driftPct: 0,
      damaged: [],
    });
    expect(result.checks.map(({ name }) => name)).toEqual([
      "chunks",
      "texts",
      "set_aside",
      "seal",
      "dims",
      "norms",
      "witness",
      "queries",
      "recall",
    ]);
  });

  it("takes a document that came later for one on its way while it is queued", async () => {
    const result = await verifyAfter("queued", async (base) => {
      await put(base, "new.txt", "Ferry eleven");
      await put(base, "doc-3.txt", "Ferry three, changed");
    });
    expect(result).toMatchObject({ ok: true, expected: 9, found: 9, driftPct: 0, lag: 2, damaged: [] });
  });

  it("names a document that came later and was lost as missing", async () => {
    const result = await verifyAfter("later", async (base) => {
      await put(base, "new.txt", "Ferry eleven");
      await loseChanges(base);
    });
    expect(result).toMatchObject({ ok: false, expected: 11, found: 10, missing: 1, stale: 0, damaged: ["new.txt"] });
    expect(result.driftPct).toBeCloseTo(100 / 11, 10);
    expect(failing(result)).toEqual(["chunks"]);
  });

  it("names changed content as stale", async () => {
    const result = await verifyAfter("stale", async (base) => {
      await put(base, "doc-3.txt", "Ferry three, changed");
      await loseChanges(base);
    });
    expect(result).toMatchObject({
      ok: false,
      expected: 10,
      missing: 0,
      stale: 1,
      driftPct: 10,
      damaged: ["doc-3.txt"],
    });
  });

  it("counts a row that comes twice, one that is gone, and one of an unknown document", async () => {
    const alter = (row: StoredChunkFacts): StoredChunkFacts[] => {
      if (row.documentId === "doc-1.txt") return [row, row];
      if (row.documentId === "doc-2.txt") return [];
      return [row];
    };
    const unknown = async (base: string) => {
      const [record] = await world.store.namespaces.list(base);
      const table = `emb.ns_${record!.id}`;
      await world.byHand(
        `INSERT INTO ${table} SELECT 'zzz.txt', ordinal, content_hash, document_version, seal_id, run_id, embedded_at, heading_path, text, embedding
         FROM ${table} WHERE document_id = 'doc-9.txt'`,
      );
    };
    const result = await verifyAfter("mixed", unknown, alter);
    expect(result).toMatchObject({
      ok: false,
      expected: 10,
      found: 11,
      missing: 1,
      duplicate: 1,
      stale: 1,
      driftPct: 30,
    });
    expect([...result.damaged].toSorted()).toEqual(["doc-1.txt", "doc-2.txt", "zzz.txt"]);
  });

  it.each([
    ["dims", { dims: 383 }],
    ["norms", { norm: 1.01 }],
    ["norms", { norm: Number.NaN }],
    ["seal", { sealId: -1 }],
  ] as const)("fails %s on %o in one row", async (check, damage) => {
    const base = `one_${Object.entries(damage)
      .flat()
      .join("_")
      .toLowerCase()
      .replaceAll(/[^a-z0-9_]/g, "_")}`;
    const result = await verifyAfter(
      base,
      async () => {},
      (row) => [row.documentId === "doc-4.txt" ? { ...row, ...damage } : row],
    );
    expect(failing(result)).toEqual([check]);
  });

  it.each(["text", "heading_path"])("finds a %s that was changed by hand in the database", async (column) => {
    const base = `by_hand_${column}`;
    const result = await verifyAfter(base, async () => {
      const [record] = await world.store.namespaces.list(base);
      const sql = `UPDATE emb.ns_${record!.id} SET ${column} = 'Ferry 4 is free of charge.' WHERE document_id = 'doc-4.txt'`;
      expect(await world.byHand(sql)).toBe(1);
    });
    expect(failing(result)).toEqual(["texts"]);
    expect(result).toMatchObject({ ok: false, expected: 10, found: 10, driftPct: 0, damaged: ["doc-4.txt"] });
  });

  it("refuses a namespace that was filled by another chunker, before anything is compared", async () => {
    const setup = await world.setup("chunker", sourceOf("test:chunker", TEN));
    await reingest(setup);
    const { provider, signal } = setup;
    const verified = verifyNamespace({
      documents: { read: () => Promise.reject(new Error("documents were read")) },
      reader: await open("chunker", provider.profile),
      provider,
      chunker: { ...setup.chunker, id: "chunks-1/39" },
      setAside: [],
      acceptFailures: 0,
      limits: LIMITS,
      signal,
    });
    await expect(verified).rejects.toMatchObject({
      code: "EMB_SEAL_MISMATCH",
      message: "namespace chunker_one: expected chunks by chunks-1/39, seen chunks-1/40",
      context: { namespace: "chunker_one" },
    });
  });
});
