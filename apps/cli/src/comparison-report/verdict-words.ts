import type { Comparison } from "@emb/eval";
import { counted, whole } from "./number-text.js";

/** The verdict as a sentence: our words, and the names in between, which are not. */
export function verdictSentence({ verdict, baseline, candidate }: Comparison): (string | { name: string })[] {
  const [from, to] = [{ name: baseline.name }, { name: candidate.name }];
  const sentences = {
    GO: [to, " may take the place of ", from, "."],
    "NO-GO": [to, " must not take the place of ", from, "."],
    INCONCLUSIVE: ["These queries do not tell whether ", to, " may take the place of ", from, "."],
  };
  return sentences[verdict.kind];
}

/** What would settle it; null when it is settled. */
export function nextStep({ verdict, judgedQueries }: Comparison): string | null {
  if (verdict.kind !== "INCONCLUSIVE") return null;
  if (verdict.queriesNeeded === null) return "It is not known that more queries of this kind would settle it.";
  const needed = `About ${whole(verdict.queriesNeeded)} judged queries would settle it (with a chance of 80%)`;
  return `${needed}; ${counted(judgedQueries, "was", "were")} judged so far.`;
}

const METRIC_WORDS = {
  ndcg: "nDCG",
  ndcg_exp: "nDCG",
  recall: "Recall",
  precision: "Precision",
  mrr: "MRR",
  map: "MAP",
  success: "Success",
} as const satisfies Record<Comparison["settings"]["metric"], string>;

export const metricLabel = (name: keyof typeof METRIC_WORDS, k: number): string =>
  name === "ndcg_exp" ? `nDCG@${k}, exponential gain` : `${METRIC_WORDS[name]}@${k}`;

/** Why, in an order of weight. Slices that hold, or have too few queries to decide, are one line: each has a row of its own elsewhere. */
export function shownReasons({ verdict }: Comparison): { state: "held" | "broken" | "open"; text: string }[] {
  const held = verdict.reasons.filter(({ slice, code }) => slice !== null && code === "not-worse").length;
  const few = verdict.reasons.filter(({ slice, code }) => slice !== null && code === "too-few-queries").length;
  const told = verdict.reasons.filter(
    ({ slice, code }) => slice === null || (code !== "not-worse" && code !== "too-few-queries"),
  );
  return [
    ...told.map(({ code, text }) => ({ state: STATES[code], text })),
    ...(held === 0
      ? []
      : [
          {
            state: "held" as const,
            text: counted(held, "slice holds the margin by itself", "slices hold the margin by themselves"),
          },
        ]),
    ...(few === 0
      ? []
      : [
          {
            state: "open" as const,
            text: `${counted(few, "slice has", "slices have")} too few queries to decide anything`,
          },
        ]),
  ];
}

const STATES = {
  "not-worse": "held",
  better: "held",
  "limit-kept": "held",
  worse: "broken",
  "limit-broken": "broken",
  undecided: "open",
  "effect-not-shown": "open",
  "too-few-queries": "open",
  "no-judgements": "open",
  "nothing-found": "open",
  "limit-unknown": "open",
} as const satisfies Record<Comparison["verdict"]["reasons"][number]["code"], string>;
