import type { Comparison, Evaluation, Oddities } from "@emb/eval";
import { counted } from "../comparison-report/number-text.js";

/** Something odd about the input, with its count. The ids are the user's own, not our words: whoever shows them escapes them. */
export interface OddityWords {
  readonly text: string;
  /** Of the first few. */
  readonly ids: readonly string[];
}

/** Ids that are told of so many as there are. */
export const IDS_SHOWN = 5;
const ID_LENGTH = 60;

/** Only what is there. */
export const comparisonOddities = ({ oddities, unanswered, baseline, candidate }: Comparison): OddityWords[] => [
  ...inputOddities(oddities),
  ...odd(
    unanswered - baseline.notInRun.length,
    "judged query left out: the baseline could not answer it",
    "judged queries left out: the baseline could not answer them",
  ),
  ...notInRun(baseline.notInRun, "the baseline's run file", ["it is not compared", "they are not compared"]),
  ...notInRun(candidate.notInRun, "the candidate's run file", ["it scores 0", "they score 0"]),
];

export const evaluationOddities = ({ notInRun: ids }: Evaluation, oddities: Oddities): OddityWords[] => [
  ...inputOddities(oddities),
  ...notInRun(ids, "the run file", ["it scores 0", "they score 0"]),
];

/** On one line, as far as ids may hold anything. */
export const oddityLine = ({ text, ids }: OddityWords): string =>
  ids.length === 0 ? text : `${text}: ${ids.map((id) => id.replaceAll(/\p{Cc}/gu, "\uFFFD")).join(", ")}`;

const inputOddities = (oddities: Oddities): OddityWords[] => [
  ...odd(
    oddities.duplicateQueries,
    "query came twice; the first stands",
    "queries came twice; the first of each stands",
  ),
  ...odd(
    oddities.duplicateJudgements,
    "judgement came twice; the first stands",
    "judgements came twice; the first of each stands",
  ),
  ...odd(oddities.queriesWithoutJudgements, "query has no judgement", "queries have no judgement"),
  ...odd(oddities.queriesWithoutRelevant, "query has no relevant document", "queries have no relevant document"),
  ...odd(
    oddities.judgedQueriesMissing,
    "judged query is not among the queries",
    "judged queries are not among the queries",
  ),
  ...odd(
    oddities.judgedDocumentsMissing,
    "judged document is not in a namespace",
    "judged documents are not in a namespace",
  ),
];

const notInRun = (ids: readonly string[], file: string, [it, they]: readonly [string, string]): OddityWords[] =>
  odd(ids.length, `judged query is not in ${file}, so ${it}`, `judged queries are not in ${file}, so ${they}`, ids);

function odd(count: number | null, one: string, many: string, ids: readonly string[] = []): OddityWords[] {
  if (count === null || count === 0) return [];
  const shown = ids.slice(0, IDS_SHOWN).map((id) => (id.length > ID_LENGTH ? `${id.slice(0, ID_LENGTH)}…` : id));
  return [{ text: `${counted(count, one, many)}${ids.length > shown.length ? "; the first" : ""}`, ids: shown }];
}
