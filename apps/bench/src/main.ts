import type { BenchReport } from "./report.js";

/** Another process ran it, has said everything, and ended with this code. */
interface Elsewhere {
  readonly ranElsewhere: number;
}

const BENCHES: Readonly<Record<string, (flags: readonly string[]) => Promise<BenchReport | Elsewhere>>> = {
  store: async () => (await import("./store.js")).runStore(),
  local: async () => (await import("./local.js")).runLocal(),
  cli: async () => (await import("./cli.js")).runCli(),
  client: async () => (await import("./client/client.js")).runClient(),
  eval: async () => (await import("./eval.js")).runEval(),
  memory: async () => (await import("./memory.js")).runMemory(),
  ingest: async (flags) => (await import("./ingest/ingest.js")).runIngest(flags),
};

const [name = "", ...flags] = process.argv.slice(2);
const run = BENCHES[name];
if (run === undefined) {
  process.stderr.write(`usage: bench NAME [--json], NAME one of ${Object.keys(BENCHES).join(", ")}\n`);
  process.exitCode = 2;
} else {
  const report = await run(flags);
  process.exitCode = "ranElsewhere" in report ? report.ranElsewhere : print(report);
}

/** @returns the exit code */
function print(report: BenchReport): number {
  const round = (value: number) => Number(value.toPrecision(4));
  if (flags.includes("--json")) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    process.stdout.write(`${report.name}, ${report.rounds} rounds, ${report.machine}\n`);
    for (const { name: row, unit, median, min, max } of report.rows)
      process.stdout.write(`  ${row}: ${round(median)} ${unit} (${round(min)} to ${round(max)})\n`);
    for (const goal of report.goals)
      process.stdout.write(`  ${goal.ok ? "ok  " : "MISS"} ${goal.name}: ${round(goal.seen)}, want ${goal.want}\n`);
  }
  return report.goals.every(({ ok }) => ok) ? 0 : 1;
}
