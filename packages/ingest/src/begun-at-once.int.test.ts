import { afterAll, beforeAll, expect, it } from "vitest";
import { reingest } from "./reingest.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

let world: SmallWorld;
beforeAll(async () => void (world = await openSmallWorld()), 120_000);
afterAll(() => world.close());

it("two commands that begin one target in the same moment share one run", async () => {
  const base = "at-once";
  await reingest(await world.setup(base, sourceOf("test:at-once", { "a.txt": "The seal is made." })));
  const both = await Promise.all(
    ["first", "second"].map(async (owner) => world.setup(base, sourceOf("test:at-once", TEN), { owner })),
  );
  const reports = await Promise.all(both.map((setup) => reingest(setup)));
  expect(reports.map(({ state }) => state)).toEqual(["ready", "ready"]);
  expect(new Set(reports.map(({ runId }) => runId)).size).toBe(1);
  expect(await world.store.runs.list({ base })).toHaveLength(2);
});
