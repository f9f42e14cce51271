import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { LEASE_MS, PATIENCE_MS, said, type FaultWorld } from "./fault-world.fixture.js";
import { linesOf, type Program } from "./program.fixture.js";
import type { Fault } from "./schedule.js";

/** What a fault is done to. */
export interface Victims {
  readonly base: string;
  /** Programs that run `emb reingest` for the schedule. */
  readonly orchestrators: Program[];
  startOrchestrator(): void;
}

const Held = z.array(
  z.object({ owner: z.string(), run_id: z.string(), shard: z.int(), token: z.bigint(), renewed_ms: z.number() }),
);
const Tokens = z.array(z.object({ shard: z.int(), token: z.bigint() }));

/** Does what a fault says, and undoes it when its time is over. @returns what came of it, in a few words */
export async function inflict(world: FaultWorld, victims: Victims, fault: Fault): Promise<string> {
  const { postgres, service, workers } = world;
  switch (fault.kind) {
    case "kill-worker":
      workers[fault.worker]?.kill("SIGKILL");
      await workers[fault.worker]?.ended;
      world.replaceWorker(fault.worker);
      return "killed";
    case "kill-orchestrator":
      for (const orchestrator of victims.orchestrators) orchestrator.kill("SIGKILL");
      return "killed";
    case "second-orchestrator":
      victims.startOrchestrator();
      return "started";
    case "cut-connections":
      await world.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
      );
      return "cut";
    case "restart-database":
      postgres.restart(fault.mode);
      return "restarted";
    case "full-disk":
      return starve(postgres, fault.lastsMs);
    case "provider-down":
      await service.down(true);
      await sleep(fault.lastsMs);
      await service.down(false);
      return "back";
    case "freeze-worker":
      return freeze(world, victims.base);
    default:
      return fault.kind satisfies never;
  }
}

async function starve(postgres: FaultWorld["postgres"], lastsMs: number): Promise<string> {
  const before = postgres.timesFull();
  postgres.fillDisk();
  await sleep(lastsMs);
  const felt = postgres.timesFull() > before;
  postgres.freeDisk();
  postgres.ensureRunning();
  return felt ? "felt" : "not felt";
}

/** Stops a worker within a shard until another has taken it, and wakes it: what it writes then must be refused. */
async function freeze(world: FaultWorld, base: string): Promise<string> {
  const [holder] = await heldShards(world, base);
  const worker = world.workers.find((one) => instanceOf(one) === holder?.owner);
  if (holder === undefined || worker === undefined) return "nobody held a shard";
  const seen = linesOf(worker).length;
  worker.kill("SIGSTOP");
  const mine = (await heldShards(world, base)).filter(({ owner }) => owner === holder.owner);
  try {
    if (mine.length === 0) return "its shards were done";
    const taken = await waitFor(async () => {
      const now = Tokens.parse(
        await world.query("SELECT shard, fencing_token AS token FROM emb.shards WHERE run_id = $1", [holder.run_id]),
      );
      return mine.some(({ shard, token }) => now.some((one) => one.shard === shard && one.token > token));
    });
    if (!taken) throw new Error(`nobody took the shards of a worker that was frozen for ${PATIENCE_MS} ms`);
  } finally {
    worker.kill("SIGCONT");
  }
  const refused = await said(worker, "run.stopped", { after: seen });
  if (refused === null && worker.running()) {
    const heard = linesOf(worker).map(
      ({ event, code }, place) => `${place < seen ? "before" : "after"}: ${event} ${code ?? ""}`,
    );
    throw new Error(
      `a worker that lost its shards ${JSON.stringify(mine.map(({ shard }) => shard))} while it was frozen was not refused; ${heard.slice(-12).join(", ")}`,
    );
  }
  return `refused: ${refused?.code ?? "killed meanwhile"}`;
}

const instanceOf = (worker: Program): string | undefined =>
  linesOf(worker).find(({ event }) => event === "working")?.instance;

/**
 * What workers are at. A lease that a worker did not renew since it last gave a run up is no more than a name in the table: the connection that
 * would have given the shard back was gone, and the worker will write nothing there.
 */
async function heldShards(world: FaultWorld, base: string): Promise<z.infer<typeof Held>> {
  const held = async () => {
    const named = Held.parse(
      await world.query(
        `SELECT s.owner, s.run_id, s.shard, s.fencing_token AS token,
                extract(epoch FROM s.lease_until)::double precision * 1000 - ${LEASE_MS} AS renewed_ms
         FROM emb.shards s JOIN emb.runs r ON r.id = s.run_id
         WHERE r.base = $1 AND NOT s.done AND s.lease_until > clock_timestamp() AND s.owner IS NOT NULL`,
        [base],
      ),
    );
    const gaveUpMs = new Map(world.workers.map((worker) => [instanceOf(worker), lastStopMs(worker)]));
    return named.filter(({ owner, renewed_ms }) => renewed_ms > (gaveUpMs.get(owner) ?? Infinity));
  };
  let found = await held();
  await waitFor(async () => (found = await held()).length > 0, LEASE_MS);
  return found;
}

const lastStopMs = (worker: Program): number =>
  linesOf(worker).findLast(({ event }) => event === "run.stopped")?.time ?? -Infinity;

/** False when it does not come in time. */
async function waitFor(check: () => Promise<boolean>, timeoutMs = PATIENCE_MS): Promise<boolean> {
  for (const until = performance.now() + timeoutMs; performance.now() < until; await sleep(20))
    if (await check()) return true;
  return false;
}
