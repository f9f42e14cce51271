import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { atMost, interleave, machine, pairedRatio, row, type BenchReport } from "./report.js";

const ROUNDS = 5;
const SMALL = 2000;
const LARGE = 20_000;
const CHILD = fileURLToPath(new URL("./memory-child.js", import.meta.url));
const Answer = z.object({ chunks: z.number(), state: z.string(), peak_mib: z.number() });

/** Peak memory of a whole re-ingest process, small and large, each in a process of its own. */
export async function runMemory(): Promise<BenchReport> {
  const peak = (chunks: number) => async (): Promise<number> => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, String(chunks)], { encoding: "utf8" });
    if (status !== 0) throw new Error(`re-ingest of ${chunks} chunks: exit ${status}, ${stderr}`);
    const answer = Answer.parse(JSON.parse(stdout));
    if (answer.state !== "ready" || answer.chunks !== chunks)
      throw new Error(`re-ingest of ${chunks} chunks: ${stdout}`);
    return answer.peak_mib;
  };
  const seen = await interleave(ROUNDS, { small: peak(SMALL), large: peak(LARGE) });
  return {
    name: "memory",
    machine: machine(),
    rounds: ROUNDS,
    rows: [
      row(`re-ingest of ${SMALL} chunks, peak`, "MiB", seen.small),
      row(`re-ingest of ${LARGE} chunks, peak`, "MiB", seen.large),
    ],
    goals: [atMost(`peak at ${LARGE} over ${SMALL} chunks`, pairedRatio(seen.large, seen.small), 1.15)],
  };
}
