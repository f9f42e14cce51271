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

/** A row exactly as it is stored: its hash is SHA-256 (hex) over the hash before it, a line feed, and `entry` in UTF-8. */
export interface StoredAuditRow {
  readonly sequence: number;
  /** Canonical JSON of action, actor, at and detail. */
  readonly entry: string;
  readonly hash: string;
}

/**
 * Append-only log of decisions, each row hashed over its stored canonical text and the hash before it. The database refuses UPDATE, DELETE
 * and TRUNCATE by trigger; whoever switches that off is found by `verify`.
 */
export interface Audit {
  /** In its own short transaction; the head row is locked as its last statement. @throws EmbError EMB_AUDIT_BROKEN where there is no head row */
  append(entry: AuditEntry): Promise<AuditHead>;
  /** @throws EmbError EMB_AUDIT_BROKEN where there is none */
  head(): Promise<AuditHead>;
  /** Newest first. @throws EmbError EMB_AUDIT_BROKEN for a row that was made unreadable */
  list(filter: { limit: number; action?: string }): Promise<readonly AuditRow[]>;
  /** Rows with a sequence above `after`, oldest first, unread: what an export keeps elsewhere can be verified there. */
  read(page: { after: number; limit: number }): Promise<readonly StoredAuditRow[]>;
  /**
   * Recomputes the chain. `firstBad` is the sequence of the first row that is changed, missing or out of order, or null.
   * @param expectHead a head noted at any time before; a log that never had it was cut off
   */
  verify(expectHead?: string): Promise<AuditHead & { ok: boolean; firstBad: number | null }>;
}
