import type { Comparison } from "@emb/eval";

/** How a document is shown: where its text stands, and its beginning. */
export interface Excerpt {
  readonly heading: string;
  readonly text: string;
}

/** Everything that a report shows. */
export interface ReportContent {
  readonly comparison: Comparison;
  /** By document id; a document that is not there is shown by its id alone. */
  readonly excerpts: ReadonlyMap<string, Excerpt>;
  readonly origin: ReportOrigin;
}

/** What was compared, where and when. */
interface ReportOrigin {
  readonly verdictId: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly environment: string;
  readonly base: string;
  /** Asked by the index as a service does, or by a scan of every vector. */
  readonly asServed: boolean;
  /** Null: a run file. */
  readonly baselineFingerprint: string | null;
  readonly candidateFingerprint: string | null;
  /** Hex SHA-256 by the input's name. */
  readonly inputs: Readonly<Record<string, string>>;
}
