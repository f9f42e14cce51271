import type { Store, WorkerReport } from "@emb/store";

/** How often a worker says that it is there. */
const REPORT_MS = 5_000;

export interface SignOfLife {
  /** Null while the database takes the reports, else why it does not. */
  notReady(): string | null;
  /** An orderly stop: others see at once that the worker is gone. */
  leave(): Promise<void>;
}

/** Reports the worker now and every few seconds. @throws what the store throws when it does not take the first report */
export async function giveSignsOfLife(store: Pick<Store, "workers">, report: WorkerReport): Promise<SignOfLife> {
  await store.workers.report(report);
  let notReady: string | null = null;
  const timer = setInterval(() => {
    store.workers.report(report).then(
      () => (notReady = null),
      () => (notReady = "the database does not answer"),
    );
  }, REPORT_MS);
  return {
    notReady: () => notReady,
    async leave() {
      clearInterval(timer);
      await store.workers.leave(report.instance).catch(() => {}); // a lost database is no reason to stay
    },
  };
}
