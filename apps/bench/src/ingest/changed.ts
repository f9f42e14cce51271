import { atMost, row, type BenchGoal } from "../report.js";
import { secondsBetween, type BenchWorld } from "./bench-world.js";
import { MOST_PARAGRAPHS, type Change } from "./corpus.js";
import { measured, takeIn, type Section } from "./fill.js";
import { exactly } from "./unchanged.js";

/** In per cent. */
const SHARES = [1, 10] as const;
const COMMIT_ROWS = [7, 64, 1_000] as const;
const LONG_DOCUMENTS = 1_000;

/** Seconds of runs over one corpus, one after the other: of everything, of nothing, of each share. */
interface Costs {
  readonly full: number[];
  readonly unchanged: number[];
  readonly changed: ReadonlyMap<number, { readonly seconds: number[]; readonly over: number[] }>;
}

const noCosts = (): Costs => ({
  full: [],
  unchanged: [],
  changed: new Map(SHARES.map((share) => [share, { seconds: [], over: [] }])),
});

/**
 * Runs in which a share of the documents changed: what is embedded, and what it costs beside a run of everything. The same by hand stands beside
 * it: how much of the cost is a process that does everything for the first time, and pages that nobody else touches.
 */
export async function measureChanged(world: BenchWorld, rounds: number, documents: number): Promise<Section> {
  const emb = noCosts();
  const hand = noCosts();
  for (let round = 0; round < rounds; round++) {
    await measured(world, (schema) =>
      measureCosts(world, hand, documents, async (changes) => {
        const marks = await world.run({ name: "run-by-hand", schema, documents, changes });
        return secondsBetween(marks, "start", "end");
      }),
    );
    await measured(world, (schema) =>
      measureCosts(world, emb, documents, async (changes) => {
        const marks = await world.run({ name: "reingest", until: "index", schema, documents, ...takeIn, changes });
        return secondsBetween(marks, "run", "index");
      }),
    );
  }
  return {
    rows: [
      row(`run of all ${documents} documents`, "s", emb.full),
      row("run that changes nothing", "s", emb.unchanged),
      ...[...emb.changed].map(([share, { seconds }]) => row(`run that changes ${share}%`, "s", seconds)),
      row(`by hand: run of all ${documents} documents`, "s", hand.full),
      row("by hand: run that changes nothing", "s", hand.unchanged),
      ...[...hand.changed].flatMap(([share, { seconds, over }]) => [
        row(`by hand: run that changes ${share}%`, "s", seconds),
        row(`by hand: ${beyond(share)}`, "", over),
      ]),
    ],
    goals: [
      ...[...emb.changed].map(([share, { over }]) => atMost(beyond(share), row("", "", over).median, 1.1)),
      ...(await embeddedExactly(world)),
    ],
  };
}

const beyond = (share: number): string =>
  `${share}% changed: what it costs beyond "nothing changed", over ${share}% of a full run`;

async function measureCosts(
  world: BenchWorld,
  into: Costs,
  documents: number,
  run: (changes: Change[]) => Promise<number>,
): Promise<void> {
  const changes: Change[] = [];
  const seconds = async (want: number) => {
    await world.countAnswers();
    const taken = await run([...changes]);
    const answered = await world.answered();
    if (answered !== want) throw new Error(`${answered} texts were embedded where ${want} had changed`);
    await world.settle();
    return taken;
  };
  const full = await seconds(documents);
  await world.sql.query("VACUUM ANALYZE");
  const unchanged = await seconds(0);
  into.full.push(full);
  into.unchanged.push(unchanged);
  for (const [share, { seconds: seen, over }] of into.changed) {
    changes.push({ every: 100 / share, offset: share % (100 / share) });
    const taken = await seconds((documents * share) / 100);
    seen.push(taken);
    over.push((taken - unchanged) / ((full * share) / 100));
  }
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
