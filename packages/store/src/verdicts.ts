/** One profile of a comparison, as it was when it was asked. */
export interface VerdictSide {
  /** Profile, or name of a run file. */
  readonly profile: string;
  /** Null for a run file. */
  readonly namespace: string | null;
  /** Of the namespace's seal; null for a run file. */
  readonly fingerprint: string | null;
}

/** What a comparison came to, and of what. Numbers are in the metric's unit; null where nothing was judged. No query text, no document text. */
export interface VerdictRecord {
  readonly verdict: "GO" | "NO-GO" | "INCONCLUSIVE";
  readonly environment: string;
  /** Who asked: user@host. */
  readonly actor: string;
  /** Whose namespaces were read. */
  readonly base: string;
  readonly baseline: VerdictSide;
  readonly candidate: VerdictSide;
  /** Name and depth, such as ndcg@10. */
  readonly metric: string;
  readonly margin: number;
  /** One-sided, for each bound. */
  readonly alpha: number;
  readonly seed: number;
  readonly queries: number;
  readonly difference: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly queriesNeeded: number | null;
  /** Each with both numbers, the deciding ones first. */
  readonly reasons: readonly string[];
  /** Hex SHA-256 of each input by its name, such as queries, qrels and corpus. */
  readonly inputs: Readonly<Record<string, string>>;
}

export interface KeptVerdict extends VerdictRecord {
  /** Higher is newer. */
  readonly id: bigint;
  /** Database clock. */
  readonly at: Date;
}

/** The ledger of verdicts: written once, never changed, kept when namespaces are retired. */
export interface Verdicts {
  keep(verdict: VerdictRecord): Promise<KeptVerdict>;
  /** Newest first; of a base, a baseline or a candidate profile when these are given. */
  list(filter: {
    limit: number;
    base?: string;
    baseline?: string;
    candidate?: string;
  }): Promise<readonly KeptVerdict[]>;
}
