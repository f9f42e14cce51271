import { EmbError } from "@emb/manifest";
import type { Queue } from "./queue.js";
import type { SqlDriver, SqlSession } from "./sql-driver.js";
import type { Wakeups } from "./wakeups.js";

export interface PostgresWakeups extends Wakeups {
  /** How to send within a transaction; null where nobody is to be woken. To be asked for before the transaction begins. */
  sender(): Promise<((tx: SqlSession, count: number) => Promise<void>) | null>;
  close(): Promise<void>;
}

/** Where only this process can have the store open. */
export const NO_WAKEUPS: PostgresWakeups = {
  sender: async () => null,
  send: async () => {},
  take: async () => false,
  close: async () => {},
};

/**
 * Opens the queue when it is first used. One that cannot be opened, as by a role that may not make its schema, is said once and tried again with the
 * next use: workers look for themselves, only later.
 * @param open `supervise` is true in a process that takes, which lives long
 */
export function createWakeups(
  driver: SqlDriver,
  open: (how: { supervise: boolean }) => Promise<Queue>,
  onWarning: (message: string) => void,
): PostgresWakeups {
  let opening: Promise<Queue | null> | undefined;
  let said = false;
  const queue = (supervise: boolean): Promise<Queue | null> =>
    (opening ??= open({ supervise }).catch((error: unknown) => {
      opening = undefined;
      if (!said) onWarning(`workers are not woken and look for themselves: ${whatToDo(error)}`);
      said = true;
      return null;
    }));
  return {
    async sender() {
      const opened = await queue(false);
      return opened === null ? null : (tx, count) => opened.send(tx, count);
    },
    send: async (count) => (await queue(false))?.send(driver, count),
    take: async () => (await (await queue(true))?.take()) ?? false,
    close: async () => (await opening)?.close(),
  };
}

const whatToDo = (error: unknown): string =>
  error instanceof EmbError ? `${error.message}. ${error.hint}` : error instanceof Error ? error.message : "unknown";
