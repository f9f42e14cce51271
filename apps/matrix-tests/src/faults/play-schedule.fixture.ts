import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { FaultWorld } from "./fault-world.fixture.js";
import { changeDocument, documentId, type MadeChange } from "./change-document.fixture.js";
import { inflict } from "./inflict.fixture.js";
import type { Program } from "./program.fixture.js";
import type { LiveChange, Schedule } from "./schedule.js";

/** Far more than the longest takes on a busy machine. */
const DEADLINE_MS = 120_000;
const MOST_STARTS = 20;
/** Try again later: what a command says that lost its database or its model. */
const TEMPORARY = 75;

export interface Played {
  readonly base: string;
  /** What the run's source says. */
  readonly texts: ReadonlyMap<string, string>;
  /** Documents that changed by themselves, in the order of their versions. */
  readonly changes: readonly MadeChange[];
  /** What came of each fault; "too late" when the run had ended before. */
  readonly outcomes: readonly string[];
  readonly starts: number;
}

/**
 * Runs one re-ingest to its end while its faults happen and documents change. A command that ends with 75 or by a signal is started again, as an
 * operator would. Nothing of the schedule is under way any more when this returns or throws; the world is fit for another only when it returned.
 * @throws when a program ends in another way, or the run or the changes do not end at all
 */
export async function playSchedule(world: FaultWorld, schedule: Schedule): Promise<Played> {
  const base = `s${schedule.seed}_${Math.random().toString(36).slice(2, 8)}`;
  const texts = textsOf(schedule);
  await world.write(`${base}.jsonl`, [...texts].map(([id, text]) => JSON.stringify({ id, text })).join("\n"));
  const orchestrators: Program[] = [];
  const startOrchestrator = () =>
    void orchestrators.push(
      world.emb("reingest", "--to", "far", "--source", `${base}.jsonl`, "--base", base, "--yes", "--json"),
    );
  startOrchestrator();

  const outcomes: Promise<string>[] = [];
  const changes: MadeChange[] = [];
  let changing: Promise<void> = Promise.resolve();
  /** One after the other: a later one has the higher version. */
  const makeChanges = async (before: Promise<void>, due: readonly LiveChange[]) => {
    await before;
    for (const change of due) changes.push(await changeDocument(world, { base, ...schedule }, change));
  };
  let settled = 0;
  const failures: unknown[] = [];
  const left = { faults: [...schedule.faults], changes: [...schedule.changes] };
  let done = false;
  try {
    for (const until = performance.now() + DEADLINE_MS; ; await sleep(15)) {
      if (failures.length > 0) throw failures[0];
      if (performance.now() > until) throw new Error(`the run did not end within ${DEADLINE_MS} ms`);
      const documents = await committed(world, base);
      const due = (of: readonly { readonly afterDocuments: number }[]) =>
        done ? 0 : of.filter(({ afterDocuments }) => afterDocuments <= documents).length;
      for (const fault of left.faults.splice(0, due(left.faults))) {
        const outcome = inflict(world, { base, orchestrators, startOrchestrator }, fault);
        outcomes.push(outcome);
        outcome.then(
          () => settled++,
          (error: unknown) => failures.push(error),
        );
      }
      const changesDue = left.changes.splice(0, due(left.changes));
      changing = makeChanges(changing, changesDue).catch((error: unknown) => void failures.push(error));
      for (const [place, worker] of world.workers.entries()) {
        if (worker.running()) continue;
        const { code, stderr } = await worker.ended;
        if (code !== null && code !== TEMPORARY) throw new Error(`a worker ended with ${code}: ${stderr}`);
        if (settled === outcomes.length) world.replaceWorker(place);
      }
      for (const ended of orchestrators.filter((one) => !one.running())) {
        const { code, stdout, stderr } = await ended.ended;
        if (code !== 0 && code !== TEMPORARY && code !== null)
          throw new Error(`emb reingest ended with ${code}: ${stdout}${stderr}`);
        done ||= code === 0;
      }
      const idle = orchestrators.every((one) => !one.running());
      if (idle && done && settled === outcomes.length) {
        await changing;
        // a command that was started again after its run was ready begins another, which workers bring to its end if it breaks off
        if ((await unfinished(world, base)) === 0 && (await waiting(world, base)) === 0) break;
      }
      if (idle && !done) {
        if (orchestrators.length >= MOST_STARTS)
          throw new Error(`emb reingest was started ${MOST_STARTS} times and is not done`);
        startOrchestrator();
      }
    }
  } finally {
    await Promise.allSettled([...outcomes, changing]);
  }
  return {
    base,
    texts,
    changes,
    outcomes: [...(await Promise.all(outcomes)), ...left.faults.map(() => "too late")],
    starts: orchestrators.length,
  };
}

const Count = z.tuple([z.object({ count: z.int() })]);

/** A number about one base. @param sql gives it as `count`, the base being $1 */
const countOf =
  (sql: string) =>
  async (world: FaultWorld, base: string): Promise<number> =>
    Count.parse(await world.query(sql, [base]))[0].count;

const unfinished = countOf(
  "SELECT count(*)::integer AS count FROM emb.runs WHERE base = $1 AND state IN ('plan', 'fill', 'index', 'verify') AND intake_done",
);

/** Changes that a namespace of the base has still to show. */
const waiting = countOf(
  "SELECT count(*)::integer AS count FROM emb.changes c JOIN emb.namespaces n ON n.id = c.namespace_id WHERE n.base = $1 AND n.state <> 'retired'",
);

const committed = countOf(
  "SELECT coalesce(sum(s.documents), 0)::integer AS count FROM emb.shards s JOIN emb.runs r ON r.id = s.run_id WHERE r.base = $1",
);

/** Every text different, also between seeds; every seventh has several chunks. */
function textsOf({ seed, documents }: Schedule): Map<string, string> {
  return new Map(
    Array.from({ length: documents }, (_, place) => {
      const sentence = (part: number) => `Ferry ${seed}-${place}-${part} leaves pier ${place % 9} with ${part} sheep.`;
      const text =
        place % 7 === 0 ? Array.from({ length: 12 }, (_part, part) => sentence(part)).join(" ") : sentence(0);
      return [documentId(place), text];
    }),
  );
}
