import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { availableParallelism } from "node:os";
import { z } from "zod";
import { atLeast, atMost, machine, pairedRatio, row, type BenchReport } from "../report.js";
import type { Contender } from "./contenders.js";

const ROUNDS = 5;
const TEXTS = 20_000;
const CHILD = fileURLToPath(new URL("./client-child.js", import.meta.url));
const SERVER = fileURLToPath(new URL("./client-server.js", import.meta.url));
const Figures = z.object({ rate: z.number(), cpu_us: z.number(), peak_mib: z.number() });
const Counts = z.object({ answered: z.number(), distinct: z.number() });
type Figures = z.infer<typeof Figures>;

/** What is run each round, in this order: a contender against one behaviour of the server. */
const RUNS = {
  limit: ["limit", "base64"],
  emb: ["emb", "base64"],
  openai: ["openai", "base64"],
  langchain: ["langchain", "base64"],
  "ai-sdk": ["ai-sdk", "base64"],
  json: ["json", "floats"],
  "emb-floats": ["emb-floats", "floats"],
  "limit-slow": ["limit", "slow"],
  "emb-slow": ["emb", "slow"],
  "emb-refused": ["emb", "refusing"],
} as const satisfies Record<string, readonly [Contender, string]>;
type Run = keyof typeof RUNS;

/**
 * The client of embedding services beside its peers and beside a hand-written limit: every contender in a process of its own
 * on one core, the server in another process on the other core, all against the same server in turn, round by round.
 */
export async function runClient(): Promise<BenchReport> {
  const server = spawn(...pinned(1, process.execPath, SERVER), { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line]: unknown[] = await once(server.stdout, "data");
    const { port } = z.object({ port: z.number() }).parse(JSON.parse(String(line)));
    const seen = new Map<Run, Figures[]>();
    for (let round = 0; round < ROUNDS; round++) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
      for (const name of Object.keys(RUNS) as Run[]) {
        seen.set(name, [...(seen.get(name) ?? []), await measure(RUNS[name], `http://127.0.0.1:${port}`)]);
      }
    }
    return report((name) => seen.get(name) ?? []);
  } finally {
    server.kill();
  }
}

async function measure([contender, behaviour]: readonly [Contender, string], origin: string): Promise<Figures> {
  await (await fetch(`${origin}/count`)).text();
  const [command, args] = pinned(0, process.execPath, CHILD, contender, `${origin}/${behaviour}/v1`, String(TEXTS));
  const { stdout } = await promisify(execFile)(command, args);
  const { answered, distinct } = Counts.parse(await (await fetch(`${origin}/count`)).json());
  // The texts of the warm-up count as well; each was sent once if none was answered twice.
  if (answered !== distinct) throw new Error(`${contender}, ${behaviour}: ${answered} answers to ${distinct} texts`);
  return Figures.parse(JSON.parse(stdout));
}

/** On one core where the system can pin a process; the report says when it cannot. */
const canPin = availableParallelism() > 1 && spawnSync("taskset", ["-c", "0", "true"]).status === 0;
const pinned = (core: number, command: string, ...args: string[]): [string, string[]] =>
  canPin ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];

function report(figures: (name: Run) => readonly Figures[]): BenchReport {
  const rates = (name: Run) => figures(name).map(({ rate }) => rate);
  const cpu = (name: Run) => figures(name).map(({ cpu_us: microseconds }) => microseconds);
  const peak = (name: Run) => figures(name).map(({ peak_mib: mib }) => mib);
  const ratio = (a: Run, b: Run) => pairedRatio(rates(a), rates(b));
  const bestPeer = Math.max(...(["openai", "langchain", "ai-sdk"] as const).map((peer) => 1 / ratio("emb", peer)));
  return {
    name: "client",
    machine: `${machine()}${canPin ? "" : ", processes not pinned"}`,
    rounds: ROUNDS,
    rows: [
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
      ...(Object.keys(RUNS) as Run[]).map((name) => row(name, "texts/s", rates(name))),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
      ...(Object.keys(RUNS) as Run[]).map((name) => row(`${name}, CPU`, "us/text", cpu(name))),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
      ...(Object.keys(RUNS) as Run[]).map((name) => row(`${name}, peak memory`, "MiB", peak(name))),
    ],
    goals: [
      atLeast("base64: emb / hand-written limit", ratio("emb", "limit"), 0.85),
      atLeast("base64: emb / best peer", 1 / bestPeer, 2.2),
      atLeast("base64: emb / AI SDK", ratio("emb", "ai-sdk"), 5),
      atMost("base64: CPU per text, emb / limit", pairedRatio(cpu("emb"), cpu("limit")), 1.3),
      atMost("base64: peak memory, emb / limit", pairedRatio(peak("emb"), peak("limit")), 1.15),
      atLeast("floats: emb / undici and JSON.parse", ratio("emb-floats", "json"), 1.2),
      atLeast("50 ms: emb / limit at concurrency 8", ratio("emb-slow", "limit-slow"), 1.6),
      atLeast("one 429 in ten: emb / emb without", ratio("emb-refused", "emb"), 0.9),
    ],
  };
}
