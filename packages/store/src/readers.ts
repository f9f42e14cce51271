/** A process that reads a namespace. */
export interface ReaderReport {
  /** Unique for each process start and namespace. */
  readonly instance: string;
  readonly environment: string;
  readonly base: string;
  readonly namespace: string;
  readonly profile: string;
  /** serving: answers come from it; shadow: it is asked beside them. Whatever the use, the namespace is needed. */
  readonly use: "serving" | "shadow";
}

export interface Reader extends ReaderReport {
  readonly startedAt: Date;
  readonly seenAt: Date;
}

export interface Readers {
  /** First report of an instance, or a sign of life of it. */
  report(report: ReaderReport): Promise<void>;
  /** An orderly stop. */
  leave(instance: string): Promise<void>;
  /**
   * Seen within the last `withinMs` (database clock), newest first.
   * @param filter.departed also those that stopped in order since; default: false
   */
  list(filter: { withinMs: number; base?: string; departed?: boolean }): Promise<readonly Reader[]>;
  /**
   * Records that `profile` serves (environment, base) from now on, when another one did before or none. Cutover is this first start.
   * @returns the profile that served before, null for the first ever, or `profile` itself when nothing changed
   */
  recordServing(serving: {
    environment: string;
    base: string;
    profile: string;
    namespace: string;
  }): Promise<string | null>;
  /** Newest first: which profile serves now, and what came before it. */
  servingHistory(filter: {
    environment: string;
    base: string;
    limit: number;
  }): Promise<readonly { profile: string; namespace: string; since: Date }[]>;
}
