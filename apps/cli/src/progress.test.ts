import { describe, expect, it } from "vitest";
import { bar, createProgressView, duration } from "./progress.js";
import { recordOutput } from "./recorded-output.fixture.js";

describe("duration", () => {
  it.each([
    [0, "0s"],
    [-1, "0s"],
    [59.4, "59s"],
    [59.6, "1m 00s"],
    [125, "2m 05s"],
    [3599, "59m 59s"],
    [3600, "1h 00m"],
    [3780, "1h 03m"],
    [90_000, "25h 00m"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe("bar", () => {
  it.each([
    [0, "[----]"],
    [0.5, "[##--]"],
    [1, "[####]"],
    [-1, "[----]"],
    [7, "[####]"],
  ])("%d of 4 is %s", (share, text) => {
    expect(bar(share, 4)).toBe(text);
  });
});

describe("the progress view", () => {
  const open = (setup: { redraw?: boolean; columns?: number } = {}) => {
    const recorded = recordOutput(setup);
    let ms = 0;
    const view = createProgressView(recorded.output, () => ms);
    const fill = (atMs: number, documents: number) => {
      ms = atMs;
      view.update({ kind: "fill", documents, documentsTotal: 10, chunks: documents * 2, embedded: documents });
    };
    return { ...recorded, view, fill };
  };

  it("writes whole lines in a pipe: the first, one soon after, then one every five seconds, and the last", () => {
    const { fill, notes, raws } = open();
    for (const [atMs, documents] of [
      [0, 0],
      [400, 1],
      [1000, 2],
      [2000, 3],
      [5900, 4],
      [6000, 5],
      [6100, 10],
      [6200, 10],
    ] as const)
      fill(atMs, documents);
    expect(raws).toEqual([]);
    expect(notes).toEqual([
      "fill    [------------------------]   0%  0/10 documents  0 chunks, 0 embedded",
      "fill    [#####-------------------]  20%  2/10 documents  2.0 documents/s  4s left  4 chunks, 2 embedded",
      "fill    [############------------]  50%  5/10 documents  0.8 documents/s  6s left  10 chunks, 5 embedded",
      "fill    [########################] 100%  10/10 documents  1.6 documents/s  20 chunks, 10 embedded",
    ]);
  });

  it("redraws one line on a terminal, cut to its width, and leaves it when the step is over", () => {
    const { fill, view, notes, raws } = open({ redraw: true, columns: 50 });
    fill(0, 0);
    fill(50, 1); // sooner than it is worth drawing
    fill(2000, 4);
    view.update({ kind: "index" });
    view.update({ kind: "warning", message: "search is exact" });
    expect(raws).toEqual([
      "\r\u001B[2Kfill    [------------------------]   0%  0/10 doc",
      "\r\u001B[2Kfill    [##########--------------]  40%  4/10 doc",
      "\n",
    ]);
    expect(notes).toEqual(["index", "warning: search is exact"]);
  });

  it("shows no share of a total that is not known, and none of a total of nothing but a full bar", () => {
    const { view, notes } = open();
    view.update({ kind: "intake", seen: 500 });
    view.update({ kind: "verify", chunks: 0, chunksTotal: 0 });
    expect(notes).toEqual(["read    500 documents", "verify  [########################] 100%  0/0 chunks"]);
  });

  it("says what a run is, what was read and why it waits", () => {
    const { view, notes } = open();
    view.update({ kind: "run", runId: "r1", namespace: "docs_one", resumed: false, sourceReadAt: null });
    const sourceReadAt = new Date("2026-03-04T05:06:07Z");
    view.update({ kind: "run", runId: "r1", namespace: "docs_one", resumed: true, sourceReadAt });
    const counts = { seen: 7, created: 1, changed: 2, unchanged: 3, superseded: 0, removed: 4, empty: 5, setAside: 6 };
    view.update({ kind: "taken-in", report: counts });
    view.update({ kind: "waiting", reason: "1 shard is held by another process" });
    expect(notes).toEqual([
      "started run r1 into docs_one",
      "going on with run r1 into docs_one",
      "its source was read at 2026-03-04T05:06:07.000Z: run the same command once more to take in what changed since",
      "read    7 documents: 1 new, 2 changed, 3 unchanged, 4 removed, 5 empty, 6 set aside",
      "waiting: 1 shard is held by another process",
    ]);
  });
});
