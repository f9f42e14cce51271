import {
  assembleQuerySet,
  compare,
  createRandom,
  nextWord,
  parseQrels,
  parseQueries,
  type Answer,
  type ComparisonSettings,
  type Side,
} from "@emb/eval";
import type { Excerpt, ReportContent } from "./report-content.js";

const SETTINGS: ComparisonSettings = {
  metric: "ndcg",
  k: 10,
  alpha: 0.05,
  margin: 0.01,
  minEffect: null,
  sliceBy: "topic",
  minSliceQueries: 20,
  limits: { p95Ms: 60, p95Ratio: 1.5 },
  scoreCut: { keep: "precision", baselineThreshold: 0.5 },
  rounds: 200,
  seed: 1,
};
const TOPICS = ["billing", "incidents", "onboarding", "security", "travel"];
const SUBJECTS = [
  "a lost badge",
  "parental leave",
  "an expense over the limit",
  "a failed deployment",
  "the on-call rota",
  "a leaking secret",
];

export interface Shape {
  readonly queries?: number;
  /** Mean gain of the candidate, in the score of the relevant document. */
  readonly gain?: number;
  readonly judged?: boolean;
  /** Every so-manieth query is not in the candidate's run file. */
  readonly lacking?: number;
  readonly settings?: Partial<ComparisonSettings>;
  /** Stands in every text that is not ours: ids, texts, slices, profiles, namespaces, headings. */
  readonly attack?: string;
}

/** What a report shows of two made-up profiles whose answers to made-up questions differ at random, repeatably. */
export function reportContent({
  queries = 240,
  gain = 0.06,
  judged = true,
  lacking = Infinity,
  settings = {},
  attack = "",
}: Shape = {}): ReportContent {
  const random = createRandom(7);
  const uniform = () => nextWord(random) / 2 ** 32;
  const places = Array.from({ length: queries }, (_, place) => place);
  const number = (place: number) => String(place).padStart(4, "0"); // an attack behind it must not change the order of the ids
  const relevantOf = (place: number) => `handbook/${TOPICS[place % TOPICS.length]}/page-${number(place)}.md${attack}`;
  const text = (place: number) =>
    `What do I do about ${SUBJECTS[place % SUBJECTS.length]}, and who has to know of it (case ${place})?${attack}`;
  const set = assembleQuerySet(
    parseQueries(
      places
        .map((place) =>
          JSON.stringify({
            _id: `q${number(place)}${attack}`,
            text: text(place),
            metadata: { topic: `${TOPICS[place % TOPICS.length]}${attack}` },
          }),
        )
        .join("\n"),
      "queries.jsonl",
    ),
    null,
  );
  const judgements = parseQrels(
    ["query-id\tcorpus-id\tscore", ...places.map((place) => `q${number(place)}\td${place}\t${1 + (place % 2)}`)].join(
      "\n",
    ),
    "qrels.tsv",
  ).judgements;
  // ids with an attack in them may hold what a qrels line cannot: the judgements are put in by hand
  const byHand = new Map(
    places.map((place) => [
      `q${number(place)}${attack}`,
      new Map([[relevantOf(place), judgements.get(`q${number(place)}`)?.get(`d${place}`) ?? 1]]),
    ]),
  );
  const excerpts = new Map<string, Excerpt>();
  const side = (name: string, better: number, latencyMs: number): Side => ({
    name: `${name}${attack}`,
    namespace: `docs_${name}${attack}`,
    pricePerMillionTokens: 0.02,
    answers: new Map(
      places.flatMap((place): [string, Answer][] => {
        if (name === "st_minilm" && place % lacking === lacking - 1) return [];
        if (name === "st_minilm" && place % 97 === 96)
          return [
            [
              `q${number(place)}${attack}`,
              { documents: [], latencyMs: null, tokens: null, error: "EMB_TEXT_TOO_LONG" },
            ],
          ];
        const id = (other: number) =>
          other === 0
            ? relevantOf(place)
            : `handbook/${TOPICS[(place + other) % TOPICS.length]}/other-${number((place * 13 + other) % 90)}.md${attack}`;
        const documents = Array.from({ length: 14 }, (_, other) => ({
          id: id(other),
          score: other === 0 ? 0.42 + 0.4 * uniform() ** 1.5 + better : 0.72 - 0.35 * uniform() ** 0.6,
        }))
          .toSorted((a, b) => b.score - a.score)
          .slice(0, 10);
        for (const document of documents)
          excerpts.set(document.id, {
            heading: `Handbook > ${document.id.split("/")[1]}${attack}`,
            text: `Tell the people who wait for it first, then write down what happened, when it was seen, and who looks after it until it is done.${attack}`,
          });
        return [
          [
            `q${number(place)}${attack}`,
            {
              documents,
              latencyMs: latencyMs * (0.7 + 0.5 * uniform() + (uniform() < 0.06 ? 2.5 * uniform() : 0)),
              tokens: 12 + (place % 5),
              error: null,
            },
          ],
        ];
      }),
    ),
  });
  const comparison = compare(
    {
      ...set,
      judgements: judged ? byHand : null,
      oddities: { ...set.oddities, queriesWithoutJudgements: judged ? 0 : queries },
    },
    side("use_lite", 0, 31),
    side("st_minilm", gain, 18),
    { ...SETTINGS, ...settings },
  );
  return {
    comparison,
    excerpts,
    origin: {
      verdictId: "12",
      at: "2026-11-24T13:05:09.000Z",
      environment: `staging${attack}`,
      base: `docs${attack}`,
      asServed: false,
      baselineFingerprint: "5f2c".repeat(16),
      candidateFingerprint: "a80d".repeat(16),
      inputs: { queries: "0b1e".repeat(16), qrels: "77aa".repeat(16), [`corpus${attack}`]: "c3d4".repeat(16) },
    },
  };
}
