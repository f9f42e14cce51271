import type { Calibration } from "@emb/eval";
import { expect, it } from "vitest";
import { calibrationWords } from "./calibration-words.js";

const FOUND: Calibration = {
  keep: "precision",
  baselineThreshold: 0.5,
  kept: 0.75,
  threshold: 0.016,
  reached: 0.76,
  best: 1,
  baselineShown: 40,
  candidateShown: 38,
  lower: 0.0158765,
  upper: null,
};
const NONE = { threshold: null, reached: null, candidateShown: null, lower: null, upper: null };
const say = (calibration: Calibration | null): string | undefined => {
  const side = (name: string) => ({ name, namespace: null, notInRun: [], facts: FACTS });
  return calibrationWords({ calibration, baseline: side("old"), candidate: side("new") })
    ?.map((part) => (typeof part === "string" ? part : `<${part.name}>`))
    .join("");
};
const FACTS = {
  answered: 0,
  errors: 0,
  errorPct: 0,
  errorsByCode: {},
  latencyMs: null,
  latenciesMs: [],
  tokens: null,
  costPer1000QueriesUsd: null,
};

it.each<[Calibration | null, string | undefined]>([
  [null, undefined],
  [
    FOUND,
    "score threshold 0.016 (0.01588 to no bound) of <new> keeps the precision 0.7500 that <old> has from 0.5 on: it has 0.7600, and shows 38 results where it was 40",
  ],
  [
    { ...FOUND, ...NONE, best: 0.7 },
    "no score threshold of <new> keeps the precision 0.7500 that <old> has from 0.5 on: its best is 0.7000",
  ],
  [
    { ...FOUND, ...NONE, best: null },
    "no score threshold of <new> keeps the precision 0.7500 that <old> has from 0.5 on: it has no results",
  ],
  [
    { ...FOUND, ...NONE, keep: "recall", kept: null, baselineShown: 0, baselineThreshold: 7 },
    "there is no recall to keep: <old> has no result with a score of 7 or more",
  ],
  [
    { ...FOUND, ...NONE, kept: 0 },
    "there is no precision to keep: no relevant result of <old> has a score of 0.5 or more",
  ],
])("says where to cut, or why that cannot be said: %j", (calibration, words) => {
  expect(say(calibration)).toBe(words);
});
