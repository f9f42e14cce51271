/** What is recorded of a decision. Scalars only; never a text or a secret. */
export interface AuditEntry {
  /** Domain word and verb, for example `override.permitted`, `run.ready`, `cutover`, `rollback`. */
  readonly action: string;
  /** Who: user@host, or a service's instance name. */
  readonly actor: string;
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

export interface AuditHead {
  readonly rows: number;
  /** Hex SHA-256 of the newest row; 64 zeros when there is none. */
  readonly head: string;
}

export interface AuditRow extends AuditEntry {
  readonly sequence: number;
  readonly at: Date;
  readonly hash: string;
}

/**
 * Append-only log of decisions, each row hashed over its stored canonical text and the hash before it. The database refuses UPDATE, DELETE
 * and TRUNCATE by trigger; whoever switches that off is found by `verify`.
 */
export interface Audit {
  /** In its own short transaction; the head row is locked as its last statement. */
  append(entry: AuditEntry): Promise<AuditHead>;
  head(): Promise<AuditHead>;
  /** Newest first. */
  list(limit: number): Promise<readonly AuditRow[]>;
  /**
   * Recomputes the chain. `firstBad` is the sequence of the first row that is changed, missing or out of order, or null.
   * @param expectHead a head noted at any time before; a log that never had it was cut off
   */
  verify(expectHead?: string): Promise<AuditHead & { ok: boolean; firstBad: number | null }>;
}
