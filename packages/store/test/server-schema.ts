import { randomBytes } from "node:crypto";
import { createServerDriver } from "../src/server-driver.js";
import { openServerStore } from "../src/server-store.js";
import type { SqlDriver } from "../src/sql-driver.js";
import type { Store } from "../src/store.js";

/** Address of a PostgreSQL server with pgvector for tests; `scripts/with-postgres` sets it. */
const testDatabaseUrl = process.env["TEST_DATABASE_URL"]?.trim() || undefined;

/** For the title of what needs the server. */
export const serverSkip = testDatabaseUrl === undefined ? " (skipped: TEST_DATABASE_URL is not set)" : "";

export interface ServerSchema {
  readonly store: Store;
  /** Beside the store's own sessions. */
  readonly driver: SqlDriver;
  readonly schema: string;
  close(): Promise<void>;
}

/** Address of the server, for stores and drivers of a test's own. */
export const serverUrl = (): string => testDatabaseUrl ?? "";

/** A store in a schema of its own, which `close` drops. */
export async function openServerSchema(): Promise<ServerSchema> {
  const connectionString = serverUrl();
  const schema = `emb_test_${randomBytes(6).toString("hex")}`;
  const queueSchema = schema.replace("emb_test", "emb_boss");
  const store = await openServerStore({ connectionString, schema, queueSchema });
  const driver = await createServerDriver({ connectionString, maxConnections: 4 });
  return {
    store,
    driver,
    schema,
    close: async () => {
      await store.close();
      await driver.exec(`DROP SCHEMA ${schema} CASCADE; DROP SCHEMA IF EXISTS ${queueSchema} CASCADE`);
      await driver.close();
    },
  };
}
