import { expect, it } from "vitest";
import { warningsOf } from "./warnings.js";

const NOTHING = {
  judgedQueries: 20,
  judgedDocuments: 40,
  oddities: { judgedDocumentsMissing: 0, queriesWithoutRelevant: 0 },
  notInBaselineRun: 0,
  notInCandidateRun: 0,
};

it("warns from a tenth on, of each kind by itself", () => {
  const codesOf = (of: Partial<typeof NOTHING>) => warningsOf({ ...NOTHING, ...of }).map(({ code }) => code);
  expect(codesOf({})).toEqual([]);
  expect(
    codesOf({
      oddities: { judgedDocumentsMissing: 3, queriesWithoutRelevant: 1 },
      notInBaselineRun: 1,
      notInCandidateRun: 1,
    }),
  ).toEqual([]);
  expect(codesOf({ oddities: { judgedDocumentsMissing: 4, queriesWithoutRelevant: 0 } })).toEqual([
    "judged-documents-missing",
  ]);
  expect(codesOf({ oddities: { judgedDocumentsMissing: 0, queriesWithoutRelevant: 2 } })).toEqual([
    "queries-without-relevant",
  ]);
  expect(codesOf({ notInBaselineRun: 2, notInCandidateRun: 2 })).toEqual([
    "not-in-baseline-run",
    "not-in-candidate-run",
  ]);
});

it("says both numbers and what follows", () => {
  expect(warningsOf({ ...NOTHING, oddities: { judgedDocumentsMissing: 12, queriesWithoutRelevant: 0 } })).toEqual([
    {
      code: "judged-documents-missing",
      seen: 0.3,
      limit: 0.1,
      text: "12 of 40 judged documents are not in a namespace (30%): nobody can find them, so a difference looks smaller than it is; check that the judgements are of this corpus",
    },
  ]);
});

it("has nothing to say of what was not looked up, or is not there", () => {
  const oddities = { judgedDocumentsMissing: null, queriesWithoutRelevant: 0 };
  expect(warningsOf({ ...NOTHING, judgedQueries: 0, judgedDocuments: 0, oddities })).toEqual([]);
});
