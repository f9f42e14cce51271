import { MAX_NAMESPACE_LENGTH } from "@emb/manifest";
import { migrate, parseSchemaName } from "./migrations.js";
import { MAX_DIMS, MAX_INDEXED_DIMS } from "./namespace-table.js";
import { createPostgresAudit } from "./postgres-audit.js";
import { createPostgresChanges } from "./postgres-changes.js";
import { createPostgresDocuments } from "./postgres-documents.js";
import { createPostgresNamespaces } from "./postgres-namespaces.js";
import { createPostgresReaders } from "./postgres-readers.js";
import { createPostgresRuns, voidLeases } from "./postgres-runs.js";
import type { SqlDriver } from "./sql-driver.js";
import type { Store } from "./store.js";

/**
 * The store over any way to PostgreSQL. Brings the schema up to date first.
 * @param options.schema where emb's tables are. @defaultValue "emb"
 * @throws EmbError EMB_STORE_SCHEMA_NEWER, EMB_USAGE for a schema name that cannot be one, and what the driver throws
 */
export async function openPostgresStore(driver: SqlDriver, options: { schema?: string } = {}): Promise<Store> {
  const schema = parseSchemaName(options.schema ?? "emb");
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
    runs: createPostgresRuns(driver, schema),
    readers: createPostgresReaders(driver, schema),
    audit: createPostgresAudit(driver, schema),
    close: () => driver.close(),
  };
}
