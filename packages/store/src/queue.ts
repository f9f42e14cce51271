import PgBoss from "pg-boss";
import { parseSchemaName } from "./migrations.js";
import { requireRights } from "./server-rights.js";
import type { SqlDriver, SqlSession, SqlValue } from "./sql-driver.js";

const QUEUE = "shards";
const MOST_AT_ONCE = 64;
/** Hints only: one that nobody took in ten minutes tells nothing any more, and one whose taker died is not given out again. */
const OPTIONS = { policy: "standard", retryLimit: 0, expireInSeconds: 60, retentionMinutes: 10 } as const;

/** The queue of wake-ups, in pg-boss's own tables over the same database. */
export interface Queue {
  /** Within the caller's transaction when `session` is one: sent if it commits, and only then. */
  send(session: SqlSession, count: number): Promise<void>;
  take(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens pg-boss over the driver's own sessions, makes its schema when it is not there, and the queue.
 * @param options.supervise removes old hints every few minutes; for processes that live long
 * @throws EmbError EMB_STORE_UNAVAILABLE, EMB_STORE_REFUSED when the role may not make the schema
 */
export async function openQueue(
  driver: SqlDriver,
  options: { schema: string; supervise: boolean; onWarning: (message: string) => void },
): Promise<Queue> {
  const schema = parseSchemaName(options.schema);
  const there = await requireRights(driver, schema);
  const boss = new PgBoss({
    db: { executeSql: (sql, values) => execute(driver, there ? sql.replace(CREATE_SCHEMA, "") : sql, values) },
    schema,
    supervise: options.supervise,
    schedule: false,
  });
  boss.on("error", ({ message }) => options.onWarning(`the queue of wake-ups: ${message}`));
  await boss.start();
  await boss.createQueue(QUEUE, { name: QUEUE, ...OPTIONS });
  return {
    async send(session, count) {
      const wakeups = Array.from({ length: Math.min(count, MOST_AT_ONCE) }, () => ({ name: QUEUE }));
      if (wakeups.length > 0)
        await boss.insert(wakeups, { db: { executeSql: (sql, values) => statement(session, sql, values) } });
    },
    async take() {
      const [wakeup] = await boss.fetch(QUEUE); // empty as well when the database is away
      if (wakeup === undefined) return false;
      await boss.deleteJob(QUEUE, wakeup.id);
      return true;
    },
    close: () => boss.stop({ graceful: false }),
  };
}

/** It asks for the right to make a schema even where it is there. */
const CREATE_SCHEMA = /CREATE SCHEMA IF NOT EXISTS \w+\s*;/;

/**
 * pg-boss writes its own transactions as one text of many statements. They run as transactions of the driver, so that one that fails is rolled back,
 * and no session is left within it.
 */
async function execute(driver: SqlDriver, sql: string, values: readonly unknown[] | undefined) {
  const script = /^\s*BEGIN;(.*)COMMIT;\s*$/s.exec(sql)?.[1];
  if (script === undefined) return statement(driver, sql, values);
  await driver.transaction((tx) => tx.exec(script));
  return { rows: [] };
}

async function statement(session: SqlSession, sql: string, values: readonly unknown[] = []) {
  const { rows } = await session.query(sql, values.map(toSqlValue));
  return { rows: [...rows] };
}

/** pg-boss leaves out what is not set, and gives options as objects that become JSON. */
function toSqlValue(value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return Array.isArray(value) ? value.map(toSqlValue) : JSON.stringify(value);
}
