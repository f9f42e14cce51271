import { DEFAULTS } from "@emb/config";
import { atLeast, atMost, pairedRatio, row, type BenchGoal, type BenchRow } from "../report.js";
import { cpuPerThousand, secondsAcross, secondsBetween, type BenchWorld } from "./bench-world.js";
import type { Marks } from "./task.js";

export interface Section {
  readonly rows: readonly BenchRow[];
  readonly goals: readonly BenchGoal[];
}

/** LangChain keeps all vectors as lists of numbers: 2.5 GB for 40,000. Its rate does not depend on their number. */
const PEER_DOCUMENTS = 10_000;
/** Time for a child to load and open what it needs. */
const HEAD_START_MS = 1500;

export const takeIn = { changes: [], long: false, commitRows: DEFAULTS.ingest.commitRows } as const;

/**
 * Documents a second, each one chunk. Timed of emb: a worker's fill of documents that were taken in before, from its first claim to its last commit
 * (reading them from the database, chunking, hashing, looking them up, embedding, checks, commits, ledger). The intake stands beside it.
 */
export async function measureFill(world: BenchWorld, rounds: number, documents: number): Promise<Section> {
  const seen: Record<
    "limit" | "limitCpu" | "intake" | "one" | "oneCpu" | "onePeak" | "both" | "two" | "peer" | "peerCpu",
    number[]
  > = {
    limit: [],
    limitCpu: [],
    intake: [],
    one: [],
    oneCpu: [],
    onePeak: [],
    both: [],
    two: [],
    peer: [],
    peerCpu: [],
  };
  for (let round = 0; round < rounds; round++) {
    await measured(world, async (schema) => {
      const marks = await world.run({ name: "run-by-hand", schema, documents, changes: [] });
      await mustHold(world, `${schema}.by_hand`, documents);
      seen.limit.push(documents / secondsBetween(marks, "start", "end"));
      seen.limitCpu.push(cpuPerThousand(marks, "start", "end", documents));
    });
    await measured(world, async (schema) => {
      const taken = await world.run({ name: "reingest", until: "fill", schema, documents, ...takeIn });
      await world.settle();
      const [marks] = await work(world, schema, documents, 1);
      const intakeSeconds = secondsBetween(taken, "run", "fill");
      const fillSeconds = secondsAcross([marks!], "fill", "committed");
      seen.intake.push(documents / intakeSeconds);
      seen.one.push(documents / fillSeconds);
      seen.both.push(documents / (intakeSeconds + fillSeconds));
      seen.oneCpu.push(cpuPerThousand(marks!, "fill", "committed", documents));
      seen.onePeak.push(marks!.peak_mib);
    });
    await measured(world, async (schema) => {
      await world.run({ name: "reingest", until: "fill", schema, documents, ...takeIn });
      await world.settle();
      seen.two.push(documents / secondsAcross(await work(world, schema, documents, 2), "fill", "committed"));
    });
    await measured(world, async (schema) => {
      const marks = await world.run({ name: "langchain-add", schema, documents: PEER_DOCUMENTS });
      await mustHold(world, `langchain_${schema}`, PEER_DOCUMENTS);
      seen.peer.push(PEER_DOCUMENTS / secondsBetween(marks, "start", "end"));
      seen.peerCpu.push(cpuPerThousand(marks, "start", "end", PEER_DOCUMENTS));
    });
  }
  return {
    rows: [
      row("fill: hand-written stream", "docs/s", seen.limit),
      row("fill: emb, one worker", "docs/s", seen.one),
      row("fill: emb, two workers", "docs/s", seen.two),
      row("fill: LangChain addDocuments", "docs/s", seen.peer),
      row("intake of new documents", "docs/s", seen.intake),
      row("intake and fill, one after the other", "docs/s", seen.both),
      row("fill: hand-written stream, CPU", "s/1000", seen.limitCpu),
      row("fill: emb, CPU", "s/1000", seen.oneCpu),
      row("fill: LangChain, CPU", "s/1000", seen.peerCpu),
      row("fill: emb, peak memory of the worker", "MiB", seen.onePeak),
    ],
    goals: [
      atLeast("fill: emb / hand-written stream", pairedRatio(seen.one, seen.limit), 0.75),
      atLeast("fill: emb / LangChain addDocuments", pairedRatio(seen.one, seen.peer), 5),
      atMost("fill: emb, CPU s per 1,000", row("", "", seen.oneCpu).median, 0.06),
      atLeast("fill: two workers / one", pairedRatio(seen.two, seen.one), 1),
    ],
  };
}

/** Runs it on tables of its own, after the server has written out what came before. */
export async function measured<T>(world: BenchWorld, use: (schema: string) => Promise<T>): Promise<T> {
  const schema = world.newSchema();
  try {
    return await use(schema);
  } finally {
    await world.clear(schema);
  }
}

/** Workers side by side on one run that was taken in; every document must be there once, embedded once. */
async function work(world: BenchWorld, schema: string, documents: number, workers: number): Promise<Marks[]> {
  await world.countAnswers();
  const startAtMs = Date.now() + HEAD_START_MS;
  const all = await Promise.all(
    Array.from({ length: workers }, () => world.run({ name: "work", schema, documents, startAtMs })),
  );
  const answered = await world.answered();
  if (answered !== documents) throw new Error(`${answered} texts were embedded for ${documents} documents`);
  await mustHold(world, `${schema}.ns_1`, documents);
  return all;
}

async function mustHold({ sql }: BenchWorld, table: string, rows: number): Promise<void> {
  const { rows: answer } = await sql.query<{ rows: number }>(`SELECT count(*)::integer AS rows FROM ${table}`);
  if (answer[0]?.rows !== rows) throw new Error(`${table} holds ${answer[0]?.rows} rows, ${rows} were written`);
}
