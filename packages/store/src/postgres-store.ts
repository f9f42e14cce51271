import { MAX_NAMESPACE_LENGTH } from "@emb/manifest";
import { migrate, parseSchemaName } from "./migrations.js";
import { MAX_DIMS, MAX_INDEXED_DIMS } from "./namespace-table.js";
import { createPostgresAdoption } from "./postgres-adoption.js";
import { createPostgresAudit } from "./postgres-audit.js";
import { createPostgresChanges } from "./postgres-changes.js";
import { createPostgresDocuments } from "./postgres-documents.js";
import { createPostgresNamespaces } from "./postgres-namespaces.js";
import { createPostgresRateLimits } from "./postgres-rate-limits.js";
import { createPostgresReaders } from "./postgres-readers.js";
import { createPostgresRuns } from "./postgres-runs.js";
import { createPostgresShadowReads } from "./postgres-shadow-reads.js";
import { voidLeases } from "./postgres-shards.js";
import { NO_WAKEUPS, type PostgresWakeups } from "./postgres-wakeups.js";
import { createPostgresWorkers } from "./postgres-workers.js";
import { createPostgresVerdicts } from "./postgres-verdicts.js";
import type { SqlDriver } from "./sql-driver.js";
import type { Store } from "./store.js";

export const DEFAULT_SCHEMA = "emb";

/**
 * The store over any way to PostgreSQL. Brings the schema up to date first.
 * @param options.schema where emb's tables are. @defaultValue "emb"
 * @param options.wakeups closed with the store. Default: nobody is woken
 * @throws EmbError EMB_STORE_SCHEMA_NEWER, EMB_USAGE for a schema name that cannot be one, and what the driver throws
 */
export async function openPostgresStore(
  driver: SqlDriver,
  options: { schema?: string; wakeups?: PostgresWakeups } = {},
): Promise<Store> {
  const { wakeups = NO_WAKEUPS } = options;
  const schema = parseSchemaName(options.schema ?? DEFAULT_SCHEMA);
  const shared = driver.capabilities.kind === "server";
  await migrate(driver, schema);
  if (!shared) await voidLeases(driver, schema);
  return {
    capabilities: {
      maxNamespaceBytes: MAX_NAMESPACE_LENGTH,
      maxDims: MAX_DIMS,
      maxIndexedDims: MAX_INDEXED_DIMS,
      shared,
    },
    namespaces: createPostgresNamespaces(driver, schema),
    documents: createPostgresDocuments(driver, schema),
    changes: createPostgresChanges(driver, schema),
    runs: createPostgresRuns(driver, schema, wakeups),
    readers: createPostgresReaders(driver, schema),
    rateLimits: createPostgresRateLimits(driver, schema),
    workers: createPostgresWorkers(driver, schema),
    wakeups,
    audit: createPostgresAudit(driver, schema),
    adoption: createPostgresAdoption(driver, schema),
    verdicts: createPostgresVerdicts(driver, schema),
    shadowReads: createPostgresShadowReads(driver, schema),
    async close() {
      await wakeups.close().catch(() => undefined); // a lost database is no reason to stay
      await driver.close();
    },
  };
}
