import type { Judgements } from "./judgements.js";
import type { Qrels } from "./qrels.js";
import type { Query, QueryFile } from "./queries.js";
import { compareBytes } from "./ranking.js";

/** What is odd about the input but stops nothing. Counts; all shown with every result. */
export interface Oddities {
  readonly duplicateQueries: number;
  readonly duplicateJudgements: number;
  /** Queries that no judgement names; they count for similarity and latency only. */
  readonly queriesWithoutJudgements: number;
  /** Queries with judgements of which none is relevant; every answer to them scores 0. */
  readonly queriesWithoutRelevant: number;
  /** Judged queries that are not among the queries. */
  readonly judgedQueriesMissing: number;
  /** Judged documents that a side does not have; null when it was not looked up. */
  readonly judgedDocumentsMissing: number | null;
}

export interface QuerySet {
  /** In order of their ids, bytewise, so that a result does not depend on the order of the file. */
  readonly queries: readonly Query[];
  /** By query id; null without a file of judgements. */
  readonly judgements: ReadonlyMap<string, Judgements> | null;
  readonly oddities: Oddities;
}

export function assembleQuerySet({ queries, duplicates }: QueryFile, qrels: Qrels | null): QuerySet {
  const sorted = queries.toSorted((a, b) => compareBytes(a.id, b.id));
  const ids = new Set(sorted.map(({ id }) => id));
  const judged = qrels?.judgements;
  const known = judged === undefined ? [] : [...judged].filter(([id]) => ids.has(id));
  return {
    queries: sorted,
    judgements: judged === undefined ? null : new Map(known),
    oddities: {
      duplicateQueries: duplicates,
      duplicateJudgements: qrels?.duplicates ?? 0,
      queriesWithoutJudgements: sorted.length - known.length,
      queriesWithoutRelevant: known.filter(([, grades]) => ![...grades.values()].some((grade) => grade > 0)).length,
      judgedQueriesMissing: (judged?.size ?? 0) - known.length,
      judgedDocumentsMissing: null,
    },
  };
}

/** Every document that a judgement of the set names. */
export function judgedDocuments({ judgements }: QuerySet): Set<string> {
  return new Set([...(judgements?.values() ?? [])].flatMap((grades) => [...grades.keys()]));
}
