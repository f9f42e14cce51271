import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { planReingest } from "./plan-reingest.js";
import { reingest } from "./reingest.js";
import { scopeSource } from "./scoped-source.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";
import { STORED_DOCUMENTS, type RunSource } from "./source.js";

vi.setConfig({ testTimeout: 60_000 }); // a real model and database on a busy machine

let world: SmallWorld;
beforeAll(async () => (world = await openSmallWorld()), 60_000);
afterAll(() => world.close());

const ferry = (i: number) => `Ferry number ${i} leaves at ${i} o'clock.`;

it("fills a part of a base that another namespace holds whole, and is not ready before all is filled", async () => {
  const whole = sourceOf("folder:/ferries", TEN);
  expect((await reingest(await world.setup("part", whole))).state).toBe("ready");

  const three = scopeSource(whole, { scopes: [], limit: 3 });
  const setup = await world.setup("part", three, { profile: "two" });
  expect(await planReingest(setup)).toMatchObject({ documents: 3, removed: 0, chunks: { total: 3, toEmbed: 3 } });
  const report = await reingest(setup);
  expect(world.embedded()).toEqual([0, 1, 2].map(ferry));
  expect(report).toMatchObject({
    state: "failed",
    reason:
      "documents: seen 3 of 10: the run was told to fill a part, want every document of the base: run it without --limit and --scope",
    documents: 3,
    intake: { seen: 3, removed: 0 },
    chunks: { total: 3, embedded: 3, failed: 0 },
    verification: { expected: 3, found: 3, driftPct: 0, damaged: [] },
  });

  const rest = await reingest(await world.setup("part", whole, { profile: "two" }));
  expect(rest).toMatchObject({ state: "ready", documents: 10, chunks: { total: 10, embedded: 7 } });
  expect(world.embedded()).toEqual([3, 4, 5, 6, 7, 8, 9].map(ferry));
});

it("a run that was stopped is not gone on with by a command that asks for another part", async () => {
  const whole = sourceOf("folder:/stopped", TEN);
  const stop = new AbortController();
  const stopped = await world.setup("stopped", scopeSource(whole, { scopes: [], limit: 3 }), {
    signal: stop.signal,
    onProgress: ({ kind }) => kind === "taken-in" && stop.abort(new Error("stopped")),
  });
  await expect(reingest(stopped)).rejects.toThrow("stopped");
  const report = await reingest(await world.setup("stopped", whole));
  expect(report).toMatchObject({ state: "ready", resumed: false, documents: 10 });
  expect((await world.store.runs.list({ base: "stopped" })).map(({ state, source }) => [state, source])).toEqual([
    ["ready", "folder:/stopped"],
    ["failed", "folder:/stopped (limit 3)"],
  ]);
});

it("leaves what a stopped run took in and did not fill shown as it was, and says that it is missing", async () => {
  const setup = (source: RunSource, more?: Parameters<typeof world.setup>[2]) => world.setup("left", source, more);
  expect((await reingest(await setup(sourceOf("folder:/left", TEN)))).state).toBe("ready");
  const later = Object.fromEntries(Object.entries(TEN).map(([id, text]) => [id, `${text} On Sundays it does not.`]));
  const changed = sourceOf("folder:/left", later);
  const stop = new AbortController();
  const stopped = await setup(changed, {
    signal: stop.signal,
    onProgress: ({ kind }) => kind === "taken-in" && stop.abort(new Error("stopped")),
  });
  await expect(reingest(stopped)).rejects.toThrow("stopped");

  const report = await reingest(await setup(scopeSource(changed, { scopes: [], limit: 3 })));
  expect(world.embedded()).toEqual(Object.values(later).slice(0, 3));
  expect(report).toMatchObject({
    state: "failed",
    reason: expect.stringMatching(/^documents: seen 3 of 10: /),
    chunks: { total: 3, embedded: 3 },
    verification: { expected: 3, found: 3, stale: 0, lag: 7, damaged: [] },
  });
  const [record] = await world.store.namespaces.list("left");
  const reader = await world.store.namespaces.openReader(record!, record!.seal, { strict: true });
  expect(await reader.count()).toMatchObject({ chunks: 10 });
});

it("stored documents fill another namespace without their source", async () => {
  expect((await reingest(await world.setup("kept", sourceOf("folder:/kept", TEN)))).state).toBe("ready");
  const setup = await world.setup("kept", STORED_DOCUMENTS, { profile: "two" });
  expect(await planReingest(setup)).toMatchObject({ documents: 10, removed: 0, chunks: { toEmbed: 10 } });
  expect(await reingest(setup)).toMatchObject({
    state: "ready",
    intake: null,
    documents: 10,
    chunks: { embedded: 10 },
  });
  const stored = await world.store.documents.read({ base: "kept", after: null, through: null, limit: 100 });
  expect(stored.map(({ source }) => source)).toEqual(Array.from({ length: 10 }, () => "folder:/kept"));
});

it("a base without documents has nothing stored to fill from, and no run stays behind", async () => {
  const setup = await world.setup("nothing", STORED_DOCUMENTS);
  await expect(planReingest(setup)).rejects.toMatchObject({ code: "EMB_SOURCE_EMPTY" });
  await expect(reingest(setup)).rejects.toMatchObject({ code: "EMB_SOURCE_EMPTY" });
  expect((await world.store.runs.list({ base: "nothing" })).map(({ state }) => state)).toEqual(["failed"]);
});

it("a part that no document is in names what asked for it", async () => {
  const none = scopeSource(sourceOf("folder:/none", TEN), { scopes: ["metadata:lang=xx"], limit: null });
  await expect(planReingest(await world.setup("none", none))).rejects.toMatchObject({
    code: "EMB_SOURCE_EMPTY",
    message: expect.stringContaining("(scope metadata:lang=xx): expected at least one document"),
    hint: expect.stringContaining("--scope"),
  });
});
