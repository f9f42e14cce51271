import type { Oddities } from "./query-set.js";

export type WarningCode =
  "judged-documents-missing" | "queries-without-relevant" | "not-in-baseline-run" | "not-in-candidate-run";

/** What makes a verdict say less than it seems to. It decides nothing, and stands beside the verdict. */
export interface Warning {
  readonly code: WarningCode;
  /** Share of what is judged. */
  readonly seen: number;
  readonly limit: number;
  readonly text: string;
}

/** Share of the judged documents, or queries, from which on what is odd about them may carry the verdict. */
const WARN_FROM = 0.1;

/**
 * As trec_eval does, a relevant document that is nowhere counts as missed, and a query that nobody can answer as 0 for both. So the more of them there
 * are, the smaller a difference looks beside a margin that stays as it is.
 */
export function warningsOf(of: {
  readonly judgedQueries: number;
  readonly judgedDocuments: number;
  readonly oddities: Pick<Oddities, "judgedDocumentsMissing" | "queriesWithoutRelevant">;
  readonly notInBaselineRun: number;
  readonly notInCandidateRun: number;
}): Warning[] {
  const rows: readonly (readonly [WarningCode, count: number | null, all: number, what: string, so: string])[] = [
    [
      "judged-documents-missing",
      of.oddities.judgedDocumentsMissing,
      of.judgedDocuments,
      "judged documents are not in a namespace",
      "nobody can find them, so a difference looks smaller than it is; check that the judgements are of this corpus",
    ],
    [
      "queries-without-relevant",
      of.oddities.queriesWithoutRelevant,
      of.judgedQueries,
      "judged queries have no relevant document",
      "both sides score 0 for them, so a difference looks smaller than it is",
    ],
    [
      "not-in-baseline-run",
      of.notInBaselineRun,
      of.judgedQueries,
      "judged queries are not in the baseline's run file",
      "they are not compared, so the verdict is about the others",
    ],
    [
      "not-in-candidate-run",
      of.notInCandidateRun,
      of.judgedQueries,
      "judged queries are not in the candidate's run file",
      "they score 0, so the candidate may lose by that alone",
    ],
  ];
  return rows.flatMap(([code, count, all, what, so]) => {
    const seen = count === null || all === 0 ? 0 : count / all;
    if (seen < WARN_FROM) return [];
    return [{ code, seen, limit: WARN_FROM, text: `${count} of ${all} ${what} (${Math.round(100 * seen)}%): ${so}` }];
  });
}
