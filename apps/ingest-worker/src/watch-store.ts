import type { Store } from "@emb/store";

const LOOK_MS = 5_000;

/** Whether the database answers, asked every few seconds. */
export function watchStore(store: Pick<Store, "runs">): { notReady(): string | null; close(): void } {
  let notReady: string | null = null;
  const timer = setInterval(() => {
    store.runs.state("none").then(
      () => (notReady = null),
      () => (notReady = "the database does not answer"),
    );
  }, LOOK_MS);
  return { notReady: () => notReady, close: () => clearInterval(timer) };
}
