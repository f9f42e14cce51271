import { atMost, row, type BenchGoal } from "../report.js";
import { secondsBetween, type BenchWorld } from "./bench-world.js";
import { MOST_PARAGRAPHS, type Change } from "./corpus.js";
import { measured, takeIn, type Section } from "./fill.js";
import { exactly } from "./unchanged.js";

/** In per cent. */
const SHARES = [1, 10] as const;
const COMMIT_ROWS = [7, 64, 1_000] as const;
const LONG_DOCUMENTS = 1_000;

/** Runs in which a share of the documents changed: what is embedded, and what it costs beside a run of everything. */
export async function measureChanged(world: BenchWorld, rounds: number, documents: number): Promise<Section> {
  const full: number[] = [];
  const unchanged: number[] = [];
  const changed = new Map(SHARES.map((share) => [share, { seconds: [] as number[], over: [] as number[] }]));
  for (let round = 0; round < rounds; round++)
    await measured(world, async (schema) => {
      const changes: Change[] = [];
      const seconds = async (want: number) => {
        await world.countAnswers();
        const marks = await world.run({ name: "reingest", until: "index", schema, documents, ...takeIn, changes });
        const answered = await world.answered();
        if (answered !== want) throw new Error(`${answered} texts were embedded where ${want} had changed`);
        await world.settle();
        return secondsBetween(marks, "run", "index");
      };
      full.push(await seconds(documents));
      await world.sql.query("VACUUM ANALYZE");
      unchanged.push(await seconds(0));
      for (const [share, { seconds: seen, over }] of changed) {
        changes.push({ every: 100 / share, offset: share % (100 / share) });
        seen.push(await seconds((documents * share) / 100));
        over.push((seen.at(-1)! - unchanged.at(-1)!) / ((full.at(-1)! * share) / 100));
      }
    });
  return {
    rows: [
      row(`run of all ${documents} documents`, "s", full),
      row("run that changes nothing", "s", unchanged),
      ...[...changed].map(([share, { seconds }]) => row(`run that changes ${share}%`, "s", seconds)),
    ],
    goals: [
      ...[...changed].map(([share, { over }]) =>
        atMost(
          `${share}% changed: what it costs beyond "nothing changed", over ${share}% of a full run`,
          row("", "", over).median,
          1.1,
        ),
      ),
      ...(await embeddedExactly(world)),
    ],
  };
}

/** Documents of 1 to 9 chunks straddle every commit batch; those that changed are embedded, all of them and no other. */
async function embeddedExactly(world: BenchWorld): Promise<BenchGoal[]> {
  const goals: BenchGoal[] = [];
  const paragraphs = (every: number, offset: number) =>
    Array.from({ length: LONG_DOCUMENTS }, (_, i) =>
      i % every === offset ? 1 + ((i * 7) % MOST_PARAGRAPHS) : 0,
    ).reduce((a, b) => a + b, 0);
  for (const commitRows of COMMIT_ROWS)
    await measured(world, async (schema) => {
      const run = async (changes: readonly Change[]) => {
        await world.countAnswers();
        const task = { until: "index", schema, documents: LONG_DOCUMENTS, long: true, commitRows } as const;
        await world.run({ name: "reingest", ...task, changes: [...changes] });
        return world.answered();
      };
      const all = await run([]);
      if (all !== paragraphs(1, 0))
        throw new Error(`${all} chunks were embedded where ${paragraphs(1, 0)} were expected`);
      const embedded = await run([{ every: 10, offset: 3 }]);
      goals.push(
        exactly(
          `10% changed, documents of 1 to ${MOST_PARAGRAPHS} chunks, commits of ${commitRows}: chunks embedded`,
          embedded,
          paragraphs(10, 3),
        ),
      );
    });
  return goals;
}
