import { atMost, pairedRatio, row } from "../report.js";
import type { BenchWorld } from "./bench-world.js";
import { measured, takeIn, type Section } from "./fill.js";

/** Peak resident memory of a whole process that takes in and fills, by size. */
export async function measureMemory(
  world: BenchWorld,
  rounds: number,
  sizes: readonly [number, number, number],
): Promise<Section> {
  const seen = sizes.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [place, documents] of sizes.entries())
      await measured(world, async (schema) => {
        const { peak_mib: peak } = await world.run({ name: "reingest", until: "index", schema, documents, ...takeIn });
        seen[place]!.push(peak);
      });
  const [small, middle, large] = sizes;
  return {
    rows: sizes.map((documents, place) => row(`peak memory, ${documents} chunks`, "MiB", seen[place]!)),
    goals: [
      atMost(`peak memory at ${middle} chunks, MB`, row("", "", seen[1]!).median * 1.048576, 256),
      atMost(`peak memory at ${large} over ${small} chunks`, pairedRatio(seen[2]!, seen[0]!), 1.15),
    ],
  };
}
