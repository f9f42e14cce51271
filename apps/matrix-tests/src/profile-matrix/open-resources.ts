import type { Worker } from "node:worker_threads";
import { setTimeout as sleep } from "node:timers/promises";

const SETTLE_MS = 3000;
const POLL_MS = 50;

/** Sockets, servers and pipes by kind, as Node names them; timers and files in flight come and go by themselves. */
function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo().filter((name) => name.endsWith("Wrap")))
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Watches the threads and handles that this process opens from now on. */
export function watchOpenResources(): { left(): Promise<readonly string[]> } {
  const before = countHandles();
  const threads = new Set<Worker>();
  const onWorker = (worker: Worker) => {
    threads.add(worker);
    worker.once("exit", () => threads.delete(worker));
  };
  process.on("worker", onWorker);

  const open = () => [
    ...[...threads].map(({ threadId }) => `thread ${threadId}`),
    ...[...countHandles()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind),
  ];
  return {
    /** What is still open, once what is closing had time to close; empty when nothing leaked. Ends the watch. */
    async left() {
      process.off("worker", onWorker);
      for (let waitedMs = 0; waitedMs < SETTLE_MS && open().length > 0; waitedMs += POLL_MS) await sleep(POLL_MS);
      return open();
    },
  };
}
