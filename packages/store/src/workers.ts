/** A process that takes shards. */
export interface WorkerReport {
  /** Unique for each process start; the owner of the shards that it holds. */
  readonly instance: string;
  readonly environment: string;
  readonly host: string;
  readonly pid: number;
}

export interface Worker extends WorkerReport {
  readonly startedAt: Date;
  readonly seenAt: Date;
  /** Shards that it holds now, of all runs. */
  readonly shards: number;
}

export interface Workers {
  /**
   * First report of an instance, or a sign of life of it. Workers that were killed are forgotten by those that live.
   * @param options.forgetAfterMs since the last sign of life of another. @defaultValue one hour
   */
  report(report: WorkerReport, options?: { forgetAfterMs: number }): Promise<void>;
  /** An orderly stop. */
  leave(instance: string): Promise<void>;
  /** Seen within the last `withinMs` (database clock), newest first. */
  list(filter: { withinMs: number }): Promise<readonly Worker[]>;
}
