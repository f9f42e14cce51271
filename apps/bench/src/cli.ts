import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { atMost, interleave, machine, pairedRatio, row, type BenchReport } from "./report.js";

const ROUNDS = 15;
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const EMB = fileURLToPath(new URL("../../cli/bin/emb.js", import.meta.url));

/** How long the command takes from cold, whole process, beside a node that does nothing. */
export async function runCli(): Promise<BenchReport> {
  const time = (args: readonly string[], want: RegExp) => async (): Promise<number> => {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: ROOT,
      encoding: "utf8",
      env: { PATH: process.env["PATH"] },
    });
    const ms = performance.now() - start;
    if (status !== 0 || !want.test(stdout)) throw new Error(`${args.join(" ")}: exit ${status}, ${stderr || stdout}`);
    return ms;
  };
  const contenders = {
    node: time(["-e", "0"], /^$/),
    help: time([EMB, "--help"], /Usage: emb/),
    gate: time([EMB, "gate", "--json"], /"decision": "baseline"/),
  };
  await interleave(1, contenders); // warms the page cache
  const seen = await interleave(ROUNDS, contenders);
  return {
    name: "cli",
    machine: machine(),
    rounds: ROUNDS,
    rows: [
      row("node -e 0", "ms", seen.node),
      row("emb --help", "ms", seen.help),
      row("emb gate --json", "ms", seen.gate),
    ],
    goals: [
      atMost("emb --help over node -e 0", pairedRatio(seen.help, seen.node), 1.3),
      atMost("emb gate --json over node -e 0", pairedRatio(seen.gate, seen.node), 2),
    ],
  };
}
