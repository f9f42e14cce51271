import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { atMost, interleave, machine, pairedRatio, row, type BenchReport } from "./report.js";

const ROUNDS = 15;
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const EMB = fileURLToPath(new URL("../../cli/bin/emb.js", import.meta.url));

/**
 * As a user's shell starts it: a bare node then takes the 86 ms that docs/decisions and the figures stand on. emb's own variables
 * are left out, so that the decision is the same everywhere.
 */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(EMB|ENV$|NODE_ENV$)/.test(name)),
);
/** Nothing but the path, where node starts in half the time: shown beside the goals. */
const bare = { PATH: process.env["PATH"] };

/** How long the command takes from cold, whole process, beside a node that does nothing. */
export async function runCli(): Promise<BenchReport> {
  const time = (args: readonly string[], want: RegExp, env: NodeJS.ProcessEnv) => async (): Promise<number> => {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: ROOT,
      encoding: "utf8",
      env,
    });
    const ms = performance.now() - start;
    if (status !== 0 || !want.test(stdout)) throw new Error(`${args.join(" ")}: exit ${status}, ${stderr || stdout}`);
    return ms;
  };
  const contenders = {
    node: time(["-e", "0"], /^$/, environment),
    help: time([EMB, "--help"], /Usage: emb/, environment),
    gate: time([EMB, "gate", "--json"], /"decision": "baseline"/, environment),
    bareNode: time(["-e", "0"], /^$/, bare),
    bareHelp: time([EMB, "--help"], /Usage: emb/, bare),
    bareGate: time([EMB, "gate", "--json"], /"decision": "baseline"/, bare),
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
      row("node -e 0, environment of PATH alone", "ms", seen.bareNode),
      row("emb --help, environment of PATH alone", "ms", seen.bareHelp),
      row("emb gate --json, environment of PATH alone", "ms", seen.bareGate),
    ],
    goals: [
      atMost("emb --help over node -e 0", pairedRatio(seen.help, seen.node), 1.3),
      atMost("emb gate --json over node -e 0", pairedRatio(seen.gate, seen.node), 2),
    ],
  };
}
