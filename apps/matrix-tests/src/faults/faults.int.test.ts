import { randomInt } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { createFaultWorld } from "./fault-world.fixture.js";
import { POSTGRES_BIN } from "./own-postgres.fixture.js";
import { playSchedule } from "./play-schedule.fixture.js";
import { recount } from "./recount.fixture.js";
import { createSchedule, describeSchedule } from "./schedule.js";
import { createWorlds } from "./worlds.js";

/** FAULT_SEED plays one schedule again; FAULT_SCHEDULES says how many are drawn. */
const seedAsked = process.env["FAULT_SEED"]?.trim() ?? "";
const count = Number(process.env["FAULT_SCHEDULES"]?.trim() || "20");
const skip = POSTGRES_BIN === "" ? " (skipped: TEST_POSTGRES_BIN is not set; scripts/with-postgres sets it)" : "";
const seeds = seedAsked === "" ? Array.from({ length: count }, () => randomInt(1_000_000)) : [Number(seedAsked)];

describe.skipIf(skip !== "")(`schedules of faults${skip}`, () => {
  const worlds = createWorlds(async () => {
    const world = await createFaultWorld();
    if (world.skipped !== "") process.stderr.write(`full-disk is left out: ${world.skipped}\n`);
    return world;
  });
  const outcomes: string[] = [];
  afterAll(async () => {
    await worlds.close();
    const counts = new Map<string, number>();
    for (const outcome of outcomes.toSorted()) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    process.stderr.write(`what came of the faults: ${JSON.stringify(Object.fromEntries(counts))}\n`);
  }, 60_000);

  it.each(seeds.map((seed) => [seed]))("FAULT_SEED=%i", { timeout: 240_000 }, (seed) =>
    worlds.in(async (world) => {
      const schedule = createSchedule(seed, world.kinds);
      const played = await playSchedule(world, schedule).catch((error: unknown) => {
        throw new Error(`${describeSchedule(schedule)}\n${world.postgres.log()}`, { cause: error });
      });
      outcomes.push(
        ...schedule.faults.map(({ kind }, place) => `${kind}: ${played.outcomes[place]}`),
        ...played.changes.map(({ text }) => `documents: ${text === null ? "deleted" : "put"}`),
      );
      expect(await recount(world, played), describeSchedule(schedule)).toEqual([]);
    }),
  );
});
