import type { RunState } from "@emb/store";

/*
 * A run, state by state:
 *
 *   plan ──► fill ──► index ──► verify ──► ready
 *
 * plan         the run is recorded; the source is being read into the system of record. Left when every shard is cut.
 * fill         shards are chunked, embedded and committed. A process that dies leaves it here: the next one goes on from the cursors.
 * index        every shard is done; the index that searching needs is built.
 * verify       the destination is read back and compared with the system of record.
 * ready        verified, nothing set aside: the namespace may serve. Final.
 * failed       verification was negative, or texts were set aside: the reason says which. Final; what failed is pending again, so that a new
 *              run of the same command repairs it and passes over the rest.
 * paused       an operator, or its cost limit, stopped it. Only `resumeRun` leads on, never the next step of a process that did not notice; it
 *              starts in plan or fill again, and finished work is passed over.
 * aborted      ended for good; the target was dropped, unless it was ready before.
 * rolled_back  ended by a rollback to another profile; the target is kept.
 * retired      its namespace was retired.
 */
const NEXT: Readonly<Record<RunState, readonly RunState[]>> = {
  plan: ["fill", "failed", "paused", "aborted", "rolled_back"],
  fill: ["index", "failed", "paused", "aborted", "rolled_back"],
  index: ["verify", "failed", "paused", "aborted", "rolled_back"],
  verify: ["ready", "failed", "paused", "aborted", "rolled_back"],
  ready: ["retired"],
  failed: ["retired"],
  paused: ["plan", "fill", "failed", "aborted", "rolled_back"],
  aborted: [],
  rolled_back: ["retired"],
  retired: [],
};

const isState = (name: string): name is RunState => Object.hasOwn(NEXT, name);

export const mayFollow = (from: RunState, to: RunState): boolean => NEXT[from].includes(to);

/** States from which a run may go to `to`, for a compare-and-set in the store. */
export const statesBefore = (to: RunState): readonly RunState[] =>
  Object.keys(NEXT)
    .filter(isState)
    .filter((from) => mayFollow(from, to));

/** A process may be working on the run. */
export const WORKING: readonly RunState[] = ["plan", "fill", "index", "verify"];

/** The run still means to write to its namespace. */
export const UNFINISHED: readonly RunState[] = [...WORKING, "paused"];
