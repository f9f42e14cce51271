import { afterAll, beforeAll, expect, it } from "vitest";
import { reingest } from "./reingest.js";
import { openSmallWorld, sourceOf, type SmallWorld } from "./small-world.fixture.js";

let world: SmallWorld;
beforeAll(async () => void (world = await openSmallWorld()), 120_000);
afterAll(() => world.close());

const NINETY = Object.fromEntries(
  Array.from({ length: 90 }, (_, i) => [`doc-${i}.txt`, `Ferry number ${i} leaves pier ${i % 7} at noon.`]),
);

it.each([
  { everyCallMs: 1, first: 90, because: "the model is quick" },
  { everyCallMs: 625, first: 32, because: "ten probe texts in 625 ms are 32 in two seconds" },
])("sizes the first commit by how long the check of the model took: $because", async ({ everyCallMs, first }) => {
  const shown: number[] = [];
  let nowMs = 0;
  const { state } = await reingest(
    await world.setup(`pace${everyCallMs}`, sourceOf("test:ninety", NINETY), {
      commitRows: 100,
      shardDocuments: 1_000,
      nowMs: () => (nowMs += everyCallMs),
      onProgress: (progress) => void (progress.kind === "fill" && shown.push(progress.documents)),
    }),
  );
  expect(state).toBe("ready");
  expect(shown[0]).toBe(0);
  expect(shown[1]).toBe(first);
  expect(shown.at(-1)).toBe(90);
});
