import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chunkHash } from "./content-hash.js";
import { prepare } from "./prepare-batch.js";
import { createLiveMeter } from "./live-meter.js";
import { OwnContents } from "./own-contents.js";
import { RecentVectors } from "./recent-vectors.js";
import { reingest } from "./reingest.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

const TEXT = TEN["doc-3.txt"]!;

describe("a text that the namespace holds", () => {
  let world: SmallWorld;
  beforeAll(async () => {
    world = await openSmallWorld();
    const filled = await reingest(await world.setup("held", sourceOf("folder:held", TEN)));
    expect(filled.chunks).toMatchObject({ embedded: 10, skipped: 0 });
  });
  afterAll(() => world.close());

  const embeddedWith = async (own: OwnContents | null): Promise<number> => {
    const { store, provider, tokenizer, chunker, signal } = await world.setup("held", sourceOf("folder:held", TEN));
    const [record] = await store.namespaces.list("held");
    const writer = await store.namespaces.openWriter(record!, record!.seal);
    const meter = createLiveMeter({ changes: store.changes, namespaceId: record!.id, provider, tokenizer });
    const chunks = chunker.chunk({ title: null, format: "text", text: TEXT });
    const pending = [{ id: "copy.txt", version: 9n, chunks }];
    const asked = { meter, recent: new RecentVectors(0), own, writer, sameSpace: [] };
    const { counters } = await prepare(asked, pending, signal);
    expect(world.embedded()).toHaveLength(counters.embedded);
    return counters.embedded;
  };

  it("is not embedded again, and not even looked for where the process knows that it put none there", async () => {
    expect(await embeddedWith(null)).toBe(0);
    const own = new OwnContents();
    expect(await embeddedWith(own)).toBe(1);
    expect(await embeddedWith(own), "what it embedded itself is looked for").toBe(0);
    const other = new OwnContents();
    other.add(chunkHash("another text").toString("hex"));
    expect(await embeddedWith(other)).toBe(1);
  });

  it("costs a later run nothing, under whatever id it comes", async () => {
    const copied = { ...TEN, "copy.txt": TEXT };
    const { chunks } = await reingest(await world.setup("held", sourceOf("folder:held", copied)));
    expect(chunks).toMatchObject({ total: 11, embedded: 0, skipped: 11 });
    expect(world.embedded()).toEqual([]);
  });

  it("under an id that no document has is found when it is verified, and goes with the repair", async () => {
    const { store } = world;
    const [record] = await store.namespaces.list("held");
    const columns =
      "ordinal, content_hash, document_version, seal_id, run_id, embedded_at, heading_path, text, embedding";
    const table = `emb.ns_${record!.id}`;
    const put = `INSERT INTO ${table} (document_id, ${columns}) SELECT 'ghost.txt', ${columns} FROM ${table} WHERE document_id = 'doc-1.txt'`;
    expect(await world.byHand(put)).toBe(1);
    const before = (await store.runs.list({ base: "held" })).length;
    const changed = { ...TEN, "doc-0.txt": "Ferry number 0 was sold." };
    const { verification } = await reingest(await world.setup("held", sourceOf("folder:held", changed)));
    expect(verification).toMatchObject({ ok: true, stale: 0 });
    expect((await store.runs.list({ base: "held" })).length).toBe(before + 2);
    expect(await world.byHand(`DELETE FROM ${table} WHERE document_id = 'ghost.txt'`)).toBe(0);
  });
});
