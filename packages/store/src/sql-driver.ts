/** What a statement takes. Arrays become PostgreSQL arrays; the statement casts them, as in `$1::text[]`. */
export type SqlValue = string | number | bigint | boolean | null | Date | Uint8Array | readonly SqlValue[];

/** Values of a row: bigint for int8, Uint8Array for bytea, Date for timestamps, parsed JSON, number, boolean, else text. */
export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlResult {
  readonly rows: readonly SqlRow[];
  /** Rows inserted, updated or deleted. */
  readonly affected: number;
}

export interface SqlSession {
  /** One statement. */
  query(sql: string, params?: readonly SqlValue[]): Promise<SqlResult>;
  /** Any number of statements without parameters; outside a transaction they make one of their own. @returns what the last one gave */
  exec(sql: string): Promise<SqlResult>;
}

export interface SqlTransaction extends SqlSession {
  /**
   * COPY in PostgreSQL's binary format. The whole buffer of `bytes` may be moved to another thread, and then has no bytes any more; one that still has
   * them after the transaction was committed is free to be used again.
   */
  copyIn(target: { table: string; columns: readonly string[] }, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** How one way to PostgreSQL differs from another, as data. The SQL above is the same for all. */
export interface SqlCapabilities {
  readonly kind: "embedded" | "server";
  /** Other sessions write at the same time, so rows that a decision rests on must be locked. */
  readonly concurrentSessions: boolean;
  /** CREATE INDEX CONCURRENTLY works, so an index build does not stop writers. */
  readonly concurrentIndexBuild: boolean;
  /** Below so many rows an approximate index costs more than it saves. */
  readonly minIndexedRows: number;
  /** Bytes given for a value of any type are taken for its binary form; else only for bytea. */
  readonly binaryValues: boolean;
  /** Most memory in bytes that one index build may take. */
  readonly indexBuildBytes: number;
}

/**
 * The way to a PostgreSQL database. Calls may come concurrently. Statements of one transaction run in the order they were called in,
 * also when the earlier ones were not awaited; after one failed the rest fail too.
 * @throws EmbError EMB_STORE_UNAVAILABLE | EMB_STORE_FULL | EMB_INTERNAL and what database-error.ts lists
 */
export interface SqlDriver extends SqlSession {
  readonly capabilities: SqlCapabilities;
  /** Commits what `work` did, or nothing of it when it throws. Read committed. Not to be nested. */
  transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T>;
  /** One statement under settings that hold for it alone. */
  queryWith(
    settings: Readonly<Record<string, string>>,
    sql: string,
    params: readonly (string | number | Uint8Array)[],
  ): Promise<SqlResult>;
  /** One statement that cannot stand in a transaction, in a session of its own with these settings; a pooler in between may refuse the settings, and they are left out. */
  maintain(sql: string, settings: Readonly<Record<string, string>>): Promise<void>;
  /** Finishes what was called before, then frees everything. Safe to call twice. */
  close(): Promise<void>;
}
