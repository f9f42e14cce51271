import { finished } from "node:stream/promises";
import { isEmbError } from "@emb/manifest";
import { Client, DatabaseError, Pool, types, type ClientBase, type ClientConfig, type PoolClient } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { arrayLiteral } from "./array-literal.js";
import { connectionFailure, reasonOf } from "./connection-failure.js";
import { databaseError, isDatabaseError } from "./database-error.js";
import { createQueue } from "./in-order.js";
import { queryWithSettings } from "./query-with-settings.js";
import type { SqlCapabilities, SqlDriver, SqlResult, SqlTransaction, SqlValue } from "./sql-driver.js";
import { runTransaction } from "./sql-transaction.js";

const CAPABILITIES: SqlCapabilities = {
  kind: "server",
  concurrentSessions: true,
  concurrentIndexBuild: true,
  binaryValues: true,
  minIndexedRows: 5_000, // exact search takes 2.5 ms there, at 50 ms for 100,000 x 384; facts.md, measured 2026-11
  indexBuildBytes: 2 * 1024 * 1024 * 1024,
};

const CONNECT_TIMEOUT_MS = 10_000;

export interface ServerDriverOptions {
  /** A secret: it may hold a password. Parameters as of libpq, such as sslmode and sslrootcert. */
  readonly connectionString: string;
  /** Sessions at once. @defaultValue 10 */
  readonly maxConnections?: number;
  /** Shown by the server in pg_stat_activity. @defaultValue "emb" */
  readonly applicationName?: string;
  /** Told of a connection that was lost while nobody used it. */
  readonly onWarning?: (message: string) => void;
}

/**
 * A PostgreSQL server. Every statement uses a session of the pool, every transaction keeps one; nothing is kept in a session
 * between them, so a pooler in transaction mode may stand in between.
 * @throws EmbError EMB_STORE_UNAVAILABLE, EMB_STORE_REFUSED when the server does not let the user in
 */
export async function createServerDriver(options: ServerDriverOptions): Promise<SqlDriver> {
  const config: ClientConfig = {
    connectionString: options.connectionString,
    application_name: options.applicationName ?? "emb",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser },
  };
  const pool = new Pool({ ...config, max: options.maxConnections ?? 10 });
  pool.on("error", (error) => options.onWarning?.(`a connection to the database was lost: ${reasonOf(error)}`));
  // A session may be ended in the moment in which the pool hands it over and nobody listens yet: without a listener Node ends the process. Whoever
  // uses the session next is told by its statement.
  pool.on("connect", (client) => void client.on("error", () => undefined));
  const driver = driverOf(pool, config);
  try {
    await driver.exec("SELECT 1");
  } catch (error) {
    await driver.close();
    throw error;
  }
  return driver;
}

/**
 * A session of its own that has the settings from its start on: a SET would be left behind in whatever session a pooler has lent. A pooler that
 * refuses them gets none, and the index is built with what the server has.
 */
async function connectWith(config: ClientConfig, settings: Readonly<Record<string, string>>): Promise<Client> {
  const given = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const attempt = async (connectionString: string | undefined) => {
    const client = new Client({ ...config, ...(connectionString !== undefined && { connectionString }) });
    client.on("error", () => undefined); // the statement under way reports it
    await client.connect();
    return client;
  };
  try {
    return await translated(() => attempt(withOptions(config.connectionString ?? "", given)));
  } catch (error) {
    if (!isDatabaseError(error, PROTOCOL_VIOLATION)) throw error;
    return translated(() => attempt(undefined));
  }
}

/** What a pooler answers to a parameter that it does not know. */
const PROTOCOL_VIOLATION = "08P01";

/** Adds to the options that the address has already, which else would win. */
function withOptions(address: string, options: readonly string[]): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  url.searchParams.set("options", [url.searchParams.get("options") ?? "", ...options].join(" ").trim());
  return url.href;
}

function driverOf(pool: Pool, config: ClientConfig): SqlDriver {
  const withClient = async <T>(use: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await translated(() => pool.connect());
    let broken = false;
    const lost = () => void (broken = true);
    client.on("error", lost);
    try {
      return await use(client);
    } catch (error) {
      // a session that was ended says so before its socket does: the next statement must not get it
      broken ||= isEmbError(error, "EMB_STORE_UNAVAILABLE");
      throw error;
    } finally {
      client.off("error", lost);
      client.release(broken);
    }
  };
  let closing: Promise<void> | undefined;
  return {
    capabilities: CAPABILITIES,
    query: (sql, params) => withClient((client) => sessionOf(client).query(sql, params)),
    exec: (sql) => withClient((client) => sessionOf(client).exec(sql)),
    transaction: (work) => withClient((client) => runTransaction(sessionOf(client), work)),
    queryWith: (settings, sql, params) =>
      withClient((client) => {
        const values = params.map((value) => (value instanceof Uint8Array ? toBuffer(value) : String(value)));
        const readValue = (typeId: number, text: string) => getTypeParser(typeId)(text);
        return translated(() => queryWithSettings(client, { settings, sql, values, readValue }));
      }),
    maintain: async (sql, settings) => {
      const client = await connectWith(config, settings);
      try {
        await sessionOf(client).exec(sql);
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    close: () => (closing ??= pool.end()),
  };
}

/** Statements of one session, one after the other. */
function sessionOf(client: ClientBase): SqlTransaction {
  const inOrder = createQueue();
  return {
    query: (sql, params = []) =>
      inOrder(async (): Promise<SqlResult> => {
        const { rows, rowCount } = await translated(() =>
          client.query<Record<string, unknown>>(sql, params.map(toParameter)),
        );
        return { rows, affected: rowCount ?? 0 };
      }),
    exec: (sql) =>
      inOrder(async (): Promise<SqlResult> => {
        const results = [await translated(() => client.query<Record<string, unknown>>(sql))].flat();
        return { rows: results.at(-1)?.rows ?? [], affected: results.at(-1)?.rowCount ?? 0 };
      }),
    copyIn: ({ table, columns }, bytes) =>
      inOrder(async () => {
        const stream = client.query(copyFrom(`COPY ${table} (${columns.join(", ")}) FROM STDIN WITH (FORMAT binary)`));
        stream.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
        await translated(() => finished(stream));
      }),
  };
}

type Parameter = string | number | boolean | null | Date | Buffer;

/** pg writes neither bigint nor Uint8Array of its own accord. */
function toParameter(value: SqlValue): Parameter {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return toBuffer(value);
  if (value instanceof Date || value === null || typeof value !== "object") return value;
  return arrayLiteral(value);
}

const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// Source: pg_type.dat, object ids of built-in types.
const BYTEA = 17;
const INT8 = 20;

/** PostgreSQL's hex form of bytea, `\\x00ff`. */
const readHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.slice(2), "hex"));

/** int8 as bigint and bytea as a plain Uint8Array; the rest as pg reads it, which is what `SqlRow` promises. */
function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === INT8) return BigInt;
  if (oid === BYTEA) return readHex;
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum lists pg's own types, and any other number is text
  return types.getTypeParser(oid, format === "binary" ? "text" : format);
}

/** Messages of pg name hosts and roles, never passwords or values; details may hold values and are left out. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError)
      throw databaseError({ sqlState: error.code, message: error.message }, undefined);
    throw connectionFailure(error);
  }
}
