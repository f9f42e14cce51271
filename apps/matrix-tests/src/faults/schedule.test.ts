import { expect, it } from "vitest";
import { createSchedule, describeSchedule, FAULT_KINDS, WORKERS } from "./schedule.js";

const SEEDS = Array.from({ length: 2_000 }, (_, seed) => seed);

it("is the same for the same seed", () => {
  expect(describeSchedule(createSchedule(7))).toBe(describeSchedule(createSchedule(7)));
  expect(createSchedule(7)).toEqual(createSchedule(7));
  expect(new Set(SEEDS.map((seed) => describeSchedule(createSchedule(seed)).split(":")[1])).size).toBeGreaterThan(
    1_900,
  );
});

it("keeps to its bounds", () => {
  const schedules = SEEDS.map((seed) => createSchedule(seed));
  expect(schedules.filter(({ changes }) => changes.length === 0).length / SEEDS.length).toBeCloseTo(1 / 3, 1);
  for (const { documents, faults, changes } of schedules) {
    expect(documents).toBeGreaterThanOrEqual(120);
    expect(documents).toBeLessThanOrEqual(240);
    expect(faults.length).toBeGreaterThanOrEqual(1);
    expect(faults.length).toBeLessThanOrEqual(3);
    for (const { afterDocuments, worker, lastsMs } of faults) {
      expect(afterDocuments).toBeLessThan(documents * 0.8);
      expect(worker).toBeLessThan(WORKERS);
      expect(lastsMs).toBeGreaterThanOrEqual(200);
      expect(lastsMs).toBeLessThan(800);
    }
    expect(changes.length).toBeLessThanOrEqual(8);
    expect(changes.every(({ document }) => document < documents + 3)).toBe(true);
    expect(changes.every(({ afterDocuments }) => afterDocuments < documents * 0.8)).toBe(true);
    const places = faults.map(({ afterDocuments }) => afterDocuments);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  }
});

it("takes every kind about as often, and only those that can be done", () => {
  const count = (kinds: readonly string[], kind: string) => kinds.filter((one) => one === kind).length;
  const all = SEEDS.flatMap((seed) => createSchedule(seed).faults.map(({ kind }) => kind));
  for (const kind of FAULT_KINDS) expect(count(all, kind) / all.length).toBeCloseTo(1 / FAULT_KINDS.length, 1);
  const two = SEEDS.flatMap((seed) => createSchedule(seed, ["kill-worker", "provider-down"]).faults);
  expect(new Set(two.map(({ kind }) => kind))).toEqual(new Set(["kill-worker", "provider-down"]));
});

it("says itself in one line", () => {
  expect(
    describeSchedule({
      seed: 3,
      documents: 130,
      faults: [
        { kind: "restart-database", afterDocuments: 5, worker: 0, lastsMs: 100, mode: "immediate" },
        { kind: "kill-worker", afterDocuments: 9, worker: 1, lastsMs: 100, mode: "fast" },
        { kind: "full-disk", afterDocuments: 50, worker: 1, lastsMs: 250, mode: "fast" },
        { kind: "freeze-worker", afterDocuments: 60, worker: 1, lastsMs: 250, mode: "fast" },
      ],
      changes: [
        { kind: "put", document: 131, afterDocuments: 4 },
        { kind: "delete", document: 7, afterDocuments: 70 },
      ],
    }),
  ).toBe(
    "FAULT_SEED=3: 130 documents, restart-database (immediate) after 5, kill-worker (1) after 9, full-disk (250 ms) after 50, freeze-worker after 60, put 131 after 4, delete 7 after 70",
  );
});
