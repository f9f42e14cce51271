import { randomUUID } from "node:crypto";
import { EmbError } from "@emb/manifest";
import type { Store } from "@emb/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentHash } from "./content-hash.js";
import { reingest } from "./reingest.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

describe("a run that another process brings to its end", () => {
  let world: SmallWorld;
  beforeAll(async () => {
    world = await openSmallWorld();
  });
  afterAll(() => world.close());

  const end = async (base: string): Promise<void> => {
    const [run] = await world.store.runs.list({ base });
    await world.store.runs.transition(run!.id, { from: ["fill", "index", "verify"], to: "ready" });
  };
  const rowsOf = async (base: string) => {
    const [record] = await world.store.namespaces.list(base);
    const reader = await world.store.namespaces.openReader(record!, record!.seal, { strict: true });
    return (await reader.scan({ after: null, limit: 100 })).map(({ documentId }) => documentId);
  };

  it("keeps its verdict and its rows when the next run begins while this process still verifies", async () => {
    const base = "verified-elsewhere";
    const setup = await world.setup(base, sourceOf("test:verified", TEN));
    const { store } = setup;
    let begun = false;
    const beginNext = async () => {
      begun = true;
      await end(base);
      const [ended] = await store.runs.list({ base });
      const next = { ...ended!, id: randomUUID(), version: await store.documents.nextVersion() };
      await store.runs.create(next);
      const content = { title: null, format: "text", text: "Ferry number 3 was sold.", metadata: {} } as const;
      const changed = { id: "doc-3.txt", ...content, contentHash: documentHash(content), version: next.version };
      await store.documents.intake({ base, runId: next.id, source: "test:verified", documents: [changed] });
    };
    const observed: Store = {
      ...store,
      documents: {
        ...store.documents,
        read: async (page) => {
          if (!begun) await beginNext();
          return store.documents.read(page);
        },
      },
    };
    const report = await reingest({ ...setup, store: observed });
    expect(begun).toBe(true);
    expect(report).toMatchObject({ state: "ready", verification: null });
    expect(await rowsOf(base)).toEqual(Object.keys(TEN));
  });

  it("is a success also for a process that broke off in its fill", async () => {
    const base = "filled-elsewhere";
    const setup = await world.setup(base, sourceOf("test:filled", TEN));
    const { store } = setup;
    const breaking: Store = {
      ...store,
      changes: {
        ...store.changes,
        claim: async () => {
          await end(base);
          throw new EmbError("EMB_STORE_FULL", "no room", { hint: "Make room." });
        },
      },
    };
    expect(await reingest({ ...setup, store: breaking })).toMatchObject({ state: "ready", verification: null });
  });

  it("is none where it is not ready: what broke is said", async () => {
    const base = "not-ended";
    const setup = await world.setup(base, sourceOf("test:not-ended", TEN));
    const { store } = setup;
    const claim = () => Promise.reject(new EmbError("EMB_STORE_FULL", "no room", { hint: "Make room." }));
    const breaking: Store = { ...store, changes: { ...store.changes, claim } };
    await expect(reingest({ ...setup, store: breaking })).rejects.toMatchObject({ code: "EMB_STORE_FULL" });
  });
});
