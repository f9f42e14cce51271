import { EmbError } from "@emb/manifest";
import type { Run, RunState, Store } from "@emb/store";
import { statesBefore, WORKING } from "./run-state.js";

/**
 * Moves the run on, never out of a pause, or stops when somebody else moved it meanwhile (paused, aborted, rolled back). A step taken already is not an error.
 * @throws EmbError EMB_RUN_NOT_READY with the state it was found in
 */
export async function step({ runs }: Pick<Store, "runs">, runId: string, to: RunState, reason = ""): Promise<void> {
  const from = statesBefore(to).filter((state) => state !== "paused" || !WORKING.includes(to));
  if (await runs.transition(runId, { from: [...from, to], to, reason })) return;
  const run = await runs.get(runId);
  if (run !== null && pastStep(run.state, to)) return;
  throw stopped(run);
}

/**
 * A run may stand further on than the step: resumed, or brought to its end by another process that works on it too. Repeating finished steps
 * is harmless.
 */
const ORDER: readonly RunState[] = ["plan", "fill", "index", "verify", "ready"];
const pastStep = (state: RunState, to: RunState): boolean =>
  ORDER.includes(state) && ORDER.includes(to) && ORDER.indexOf(state) > ORDER.indexOf(to);

export const stopped = (run: Run | null): EmbError =>
  new EmbError(
    "EMB_RUN_NOT_READY",
    `run ${run?.id ?? "unknown"}: expected it to go on, seen state ${run?.state ?? "missing"} ${run?.reason ?? ""}`.trim(),
    {
      hint: "emb runs shows it, and emb audit list who stopped it; what is committed is kept unless it was aborted.",
    },
  );
