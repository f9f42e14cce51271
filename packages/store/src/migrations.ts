import { EmbError } from "@emb/manifest";
import { z } from "zod";
import { isDatabaseError } from "./database-error.js";
import { acceptedFailures } from "./migrations/accepted-failures.js";
import { catalogue } from "./migrations/catalogue.js";
import { departedReaders } from "./migrations/departed-readers.js";
import { liveChanges } from "./migrations/live-changes.js";
import { liveSpend } from "./migrations/live-spend.js";
import { pendingDocuments } from "./migrations/pending-documents.js";
import { rateLimits } from "./migrations/rate-limits.js";
import { runScope } from "./migrations/run-scope.js";
import { runSpend } from "./migrations/run-spend.js";
import { shadowReads } from "./migrations/shadow-reads.js";
import { verdicts } from "./migrations/verdicts.js";
import { workers } from "./migrations/workers.js";
import type { SqlDriver, SqlSession, SqlTransaction } from "./sql-driver.js";
import { parseOneRow } from "./sql-rows.js";

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** @throws EmbError EMB_USAGE for anything but lower-case letters, digits and `_`, so that it can stand in SQL as it is */
export function parseSchemaName(name: string): string {
  if (SCHEMA_NAME.test(name) && !name.startsWith("pg_")) return name;
  throw new EmbError(
    "EMB_USAGE",
    `"${name.slice(0, 80)}" cannot be a schema name: 1 to 63 of a-z, 0-9 and _, not starting with a digit or pg_`,
    {
      hint: 'Use a name such as "emb".',
    },
  );
}

/**
 * One entry for each version, applied in order; each stands in a file of its own in `migrations/`. A published entry never changes: a later
 * one alters what it made.
 */
export const MIGRATIONS: readonly ((schema: string) => string)[] = [
  catalogue,
  runSpend,
  liveChanges,
  runScope,
  workers,
  rateLimits,
  verdicts,
  acceptedFailures,
  shadowReads,
  liveSpend,
  pendingDocuments,
  departedReaders,
];

const UNIQUE_VIOLATION = "23505";

const Version = z.object({ version: z.int() });
const Present = z.object({ schema_there: z.boolean(), versioned: z.boolean() });

const presence = async (session: SqlSession, schema: string) =>
  parseOneRow(
    Present,
    await session.query(
      "SELECT to_regnamespace($1) IS NOT NULL AS schema_there, to_regclass($1 || '.schema_version') IS NOT NULL AS versioned",
      [schema],
    ),
  );

/** Needs no right but to read and waits for nobody. 0: nothing is there yet. */
async function readVersion(session: SqlSession, schema: string): Promise<number> {
  if (!(await presence(session, schema)).versioned) return 0;
  const result = await session.query(`SELECT coalesce(max(version), 0) AS version FROM ${schema}.schema_version`);
  return parseOneRow(Version, result).version;
}

async function lockVersion(tx: SqlTransaction, schema: string): Promise<number> {
  // CREATE SCHEMA IF NOT EXISTS asks for the right to make one even where it is there
  if (!(await presence(tx, schema)).schema_there) await tx.exec(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await tx.exec(`
    CREATE TABLE IF NOT EXISTS ${schema}.schema_version (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
    LOCK TABLE ${schema}.schema_version IN EXCLUSIVE MODE;
  `);
  const result = await tx.query(`SELECT coalesce(max(version), 0) AS version FROM ${schema}.schema_version`);
  return parseOneRow(Version, result).version;
}

/**
 * Brings the schema to this program's version, each step in a transaction of its own; any number of processes may call it at once.
 * @throws EmbError EMB_STORE_SCHEMA_NEWER when a newer program has been here
 */
export async function migrate(driver: SqlDriver, schema: string, migrations = MIGRATIONS): Promise<void> {
  let current = await readVersion(driver, schema);
  if (current > migrations.length) throw newer(schema, current, migrations.length);
  const applyNext = () =>
    driver.transaction(async (tx) => {
      const version = await lockVersion(tx, schema);
      if (version > migrations.length) throw newer(schema, version, migrations.length);
      const step = migrations[version];
      if (step === undefined) return version;
      await tx.exec(step(schema));
      await tx.query(`INSERT INTO ${schema}.schema_version (version) VALUES ($1::integer)`, [version + 1]);
      return version + 1;
    });
  while (current < migrations.length) {
    const before = current;
    // IF NOT EXISTS looks before it waits: of two that make a schema at once, the second is refused when the first has made it
    current = await applyNext().catch((error: unknown) => {
      if (before > 0 || !isDatabaseError(error, UNIQUE_VIOLATION)) throw error;
      return applyNext();
    });
  }
}

const newer = (schema: string, seen: number, known: number) =>
  new EmbError(
    "EMB_STORE_SCHEMA_NEWER",
    `the database schema "${schema}" has version ${seen}; this program knows versions up to ${known}`,
    {
      hint: "Use the newer version of emb that made it.",
      context: { schema, seen, known },
    },
  );
