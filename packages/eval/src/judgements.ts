/** Judged documents of one query, each with its grade. A grade of 1 or more is relevant, 0 or less is not; a document that is not named counts as 0. */
export type Judgements = ReadonlyMap<string, number>;

/** Lowest grade that counts as relevant. Source: trec_eval, `-l`, default 1. */
const RELEVANT = 1;

export const isRelevant = (grade: number | undefined): boolean => grade !== undefined && grade >= RELEVANT;

export function countRelevant(judgements: Judgements): number {
  let count = 0;
  for (const grade of judgements.values()) if (isRelevant(grade)) count++;
  return count;
}
