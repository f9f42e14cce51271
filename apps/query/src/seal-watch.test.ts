import { describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import type { NamespaceRecord } from "@emb/store";
import { createSealWatch } from "./seal-watch.js";

const RECORD: NamespaceRecord = {
  id: 7,
  base: "docs",
  suffix: "one",
  mode: "profile",
  namespace: "docs_one",
  state: "ready",
  createdAt: new Date(0),
  seal: {
    spaceId: "s".repeat(64),
    fingerprint: "f".repeat(64),
    chunkerId: "chunker-1",
    profile: "one",
    provider: "sample",
    modelId: "sample/model",
    dims: 2,
    similarity: "cosine",
    storage: "vector",
    witness: [{ side: "query", text: "probe", vector: Float32Array.of(1, 0) }],
  },
};
const sealed = (change: Partial<NamespaceRecord["seal"]>) => ({ ...RECORD, seal: { ...RECORD.seal, ...change } });

/** A watch over a catalogue that a test changes, with a clock that it moves. */
function openWatch() {
  const place: { found: NamespaceRecord | EmbError | null; nowMs: number; looks: number; lost: string[] } = {
    found: RECORD,
    nowMs: 1_000,
    looks: 0,
    lost: [],
  };
  const watch = createSealWatch({
    opened: RECORD,
    namespaces: {
      async find() {
        place.looks++;
        if (place.found instanceof EmbError) throw place.found;
        return place.found;
      },
    },
    nowMs: () => place.nowMs,
    onLost: ({ code }) => void place.lost.push(code),
  });
  return { place, check: () => watch.check() };
}

describe("the seal of a namespace that is served", () => {
  it("is looked at again after 30 seconds, once for all who ask", async () => {
    const { place, check } = openWatch();
    place.nowMs += 29_999;
    await check();
    expect(place.looks).toBe(0);
    place.nowMs += 1;
    await Promise.all([check(), check(), check()]);
    expect(place.looks).toBe(1);
    place.nowMs += 29_999;
    await check();
    expect(place.looks).toBe(1);
    place.nowMs += 1;
    await check();
    expect([place.looks, place.lost]).toEqual([2, []]);
  });

  it.each([
    ["a namespace that is gone", null, "EMB_NAMESPACE_NOT_FOUND"],
    ["another one in its place, under an equal seal", { ...RECORD, id: 8 }, "EMB_NAMESPACE_NOT_FOUND"],
    ["another space", sealed({ spaceId: "t".repeat(64) }), "EMB_SEAL_MISMATCH"],
    ["another fingerprint", sealed({ fingerprint: "e".repeat(64) }), "EMB_SEAL_MISMATCH"],
    [
      "another witness",
      sealed({ witness: [{ side: "query", text: "probe", vector: Float32Array.of(0, 1) }] }),
      "EMB_SEAL_MISMATCH",
    ],
  ])("refuses each answer after %s, and tells it once", async (_, found, code) => {
    const { place, check } = openWatch();
    place.found = found;
    place.nowMs += 30_000;
    for (let asked = 1; asked <= 3; asked++) {
      await expect(check()).rejects.toMatchObject({ code });
      expect([place.looks, place.lost]).toEqual([asked, [code]]);
    }
    place.found = RECORD; // put back by whoever took it away
    await check();
    await check();
    expect(place.looks).toBe(4);
  });

  it("is not taken to hold while the database does not answer", async () => {
    const { place, check } = openWatch();
    place.found = new EmbError("EMB_STORE_UNAVAILABLE", "away", { hint: "-" });
    place.nowMs += 30_000;
    for (const asked of [1, 2]) {
      await expect(check()).rejects.toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
      expect([place.looks, place.lost]).toEqual([asked, []]);
    }
    place.found = RECORD;
    await check();
  });
});
