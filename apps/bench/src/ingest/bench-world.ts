import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "pg";
import { z } from "zod";
import { IndexFigures, Marks, QueryFigures, type Mark, type Task } from "./task.js";

const CHILD = fileURLToPath(new URL("./ingest-child.js", import.meta.url));
const SERVER = fileURLToPath(new URL("./client-server.js", import.meta.url));
const Counts = z.object({ answered: z.number(), distinct: z.number() });

/** What the measurements share: a database, an embedding server in another process, children. */
export interface BenchWorld {
  readonly sql: Client;
  readonly database: string;
  readonly service: (behaviour: "base64" | "slow") => string;
  /** A name for tables that nobody else has. */
  newSchema(): string;
  /** Drops what a measurement wrote and lets the server write everything out, so that the next one does not pay for it. */
  clear(schema: string): Promise<void>;
  settle(): Promise<void>;
  /** Begins to count what the embedding server answers. */
  countAnswers(): Promise<void>;
  /** Document texts that it has answered since. @throws Error when it was given one twice */
  answered(): Promise<number>;
  run(task: TaskInput): Promise<Marks>;
  runIndex(task: TaskInput): Promise<IndexFigures>;
  runQueries(task: TaskInput): Promise<QueryFigures>;
  /** Goes on until it is told to stop. */
  start(task: TaskInput, signal: AbortSignal): Promise<void>;
}

/** By default with the database of the benchmark, and the embedding server at 0 ms. */
type TaskInput = Task extends infer T
  ? T extends Task
    ? Omit<T, "database" | "service"> & { service?: string }
    : never
  : never;

export async function openBenchWorld(database: string): Promise<BenchWorld & { close(): Promise<void> }> {
  const sql = new Client({ connectionString: database });
  await sql.connect();
  await sql.query("CREATE EXTENSION IF NOT EXISTS vector");
  const server: ChildProcess & { stdout: NodeJS.ReadableStream } = spawn(process.execPath, [SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line]: unknown[] = await once(server.stdout, "data");
  const { port } = z.object({ port: z.number() }).parse(JSON.parse(String(line)));
  const origin = `http://127.0.0.1:${port}`;
  const service = (behaviour: "base64" | "slow") => `${origin}/${behaviour}/v1`;
  const counts = async () => Counts.parse(await (await fetch(`${origin}/count`)).json());
  let schemas = 0;
  const child = async (task: TaskInput, signal?: AbortSignal): Promise<unknown> => {
    const whole = JSON.stringify({ database, service: service("base64"), ...task });
    const options = { maxBuffer: 1e8, ...(signal && { signal }) };
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, whole], options);
    return JSON.parse(stdout);
  };
  const settle = async () => void (await sql.query("CHECKPOINT"));
  return {
    sql,
    database,
    service,
    settle,
    newSchema: () => `bench_${process.pid}_${++schemas}`,
    clear: async (schema) => {
      await sql.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await sql.query(`DROP TABLE IF EXISTS langchain_${schema}, records_${schema}`);
      await settle();
    },
    countAnswers: async () => void (await counts()),
    answered: async () => {
      const { answered, distinct } = await counts();
      if (answered !== distinct) throw new Error(`${answered} answers to ${distinct} texts: one was embedded twice`);
      return answered;
    },
    run: async (task) => Marks.parse(await child(task)),
    runIndex: async (task) => IndexFigures.parse(await child(task)),
    runQueries: async (task) => QueryFigures.parse(await child(task)),
    start: async (task, signal) => {
      await child(task, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
    close: async () => {
      server.kill();
      await sql.end();
    },
  };
}

const at = ({ marks }: Marks, name: string): Mark => {
  const mark = marks[name];
  if (mark === undefined) throw new Error(`the run never came to "${name}": ${Object.keys(marks).join(", ")}`);
  return mark;
};

export const secondsBetween = (marks: Marks, from: string, to: string): number =>
  (at(marks, to).atMs - at(marks, from).atMs) / 1000;

/** Processor seconds for each 1,000 of `count`. */
export const cpuPerThousand = (marks: Marks, from: string, to: string, count: number): number =>
  (at(marks, to).cpuMs - at(marks, from).cpuMs) / count;

/** From the first start to the last end of children that ran side by side. */
export const secondsAcross = (all: readonly Marks[], from: string, to: string): number =>
  (Math.max(...all.map((marks) => at(marks, to).atMs)) - Math.min(...all.map((marks) => at(marks, from).atMs))) / 1000;

/** Share of all processors that was busy since the call, in per cent. */
export function watchProcessors(): () => number {
  const read = () => {
    const times = cpus().map(({ times: of }) => ({
      idle: of.idle,
      all: of.user + of.nice + of.sys + of.idle + of.irq,
    }));
    return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all: times.reduce((sum, { all }) => sum + all, 0) };
  };
  const before = read();
  return () => {
    const after = read();
    return 100 * (1 - (after.idle - before.idle) / (after.all - before.all));
  };
}
