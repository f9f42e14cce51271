import { EmbError } from "@emb/manifest";
import { z } from "zod";
import { parseSchemaName } from "./migrations.js";
import { DEFAULT_SCHEMA, openPostgresStore } from "./postgres-store.js";
import { createWakeups } from "./postgres-wakeups.js";
import { createServerDriver, type ServerDriverOptions } from "./server-driver.js";
import { requireRights } from "./server-rights.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow } from "./sql-rows.js";
import type { Store } from "./store.js";

export interface ServerStoreOptions extends ServerDriverOptions {
  /** @defaultValue "emb" */
  readonly schema?: string;
  /** Where the queue of wake-ups has its tables, made when it is first used. @defaultValue "emb_boss" */
  readonly queueSchema?: string;
}

/** Source: docs/design.md section 7. */
const OLDEST_SERVER = 15;
const OLDEST_PGVECTOR = [0, 8, 0] as const;

const Versions = z.object({ server: z.int(), pgvector: z.string().nullable() });

/**
 * Opens the store in a PostgreSQL server with pgvector. Any number of processes may have it open.
 * @throws EmbError EMB_STORE_UNAVAILABLE, EMB_STORE_REFUSED, EMB_STORE_FULL, EMB_STORE_SCHEMA_NEWER
 */
export async function openServerStore({ schema, queueSchema, ...options }: ServerStoreOptions): Promise<Store> {
  const onWarning = options.onWarning ?? (() => {});
  const driver = await createServerDriver(options);
  try {
    await requireVersions(driver);
    await requireRights(driver, parseSchemaName(schema ?? DEFAULT_SCHEMA));
    const wakeups = createWakeups(
      driver,
      async ({ supervise }) => {
        const { openQueue } = await import("./queue.js"); // which loads pg-boss: most commands never do
        return openQueue(driver, { schema: queueSchema ?? "emb_boss", supervise, onWarning });
      },
      onWarning,
    );
    return await openPostgresStore(driver, { wakeups, ...(schema === undefined ? {} : { schema }) });
  } catch (error) {
    await driver.close();
    throw error;
  }
}

async function requireVersions(driver: SqlDriver): Promise<void> {
  const { server, pgvector } = parseOneRow(
    Versions,
    await driver.query(
      `SELECT current_setting('server_version_num')::integer / 10000 AS server,
         coalesce((SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vector'),
           (SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = 'vector')) AS pgvector`,
    ),
  );
  if (server < OLDEST_SERVER) {
    throw refused(`PostgreSQL ${OLDEST_SERVER} or newer is needed, the server is ${server}`, "Upgrade the server.");
  }
  if (pgvector === null) {
    throw refused(
      "the server has no pgvector",
      "Install pgvector on the server, for example its package postgresql-NN-pgvector.",
    );
  }
  if (isOlder(pgvector, OLDEST_PGVECTOR)) {
    const hint = "Install a newer pgvector, then run ALTER EXTENSION vector UPDATE in this database.";
    throw refused(`pgvector ${OLDEST_PGVECTOR.join(".")} or newer is needed, the database has ${pgvector}`, hint);
  }
}

function isOlder(version: string, oldest: readonly number[]): boolean {
  const parts = version.split(".").map(Number);
  const different = oldest.findIndex((part, i) => (parts[i] ?? 0) !== part);
  return different >= 0 && (parts[different] ?? 0) < oldest[different]!;
}

const refused = (message: string, hint: string) => new EmbError("EMB_STORE_REFUSED", message, { hint });
