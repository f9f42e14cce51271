import { EmbError } from "@emb/manifest";
import { describe, expect, it } from "vitest";
import { parseQrels } from "./qrels.js";
import { assembleQuerySet, judgedDocuments } from "./query-set.js";
import { parsePlainQueries, parseQueries } from "./queries.js";
import { rankDocuments } from "./ranking.js";
import { formatTrecRun, parseTrecRun } from "./trec-run.js";

/** Where and what, of every problem of the error that `work` throws. */
function problemsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof EmbError) return error.problems.map(({ file, line, message }) => `${file}:${line} ${message}`);
  }
  throw new Error("expected an EmbError");
}

describe("parseQueries", () => {
  it("reads BEIR's layout with labels, and counts duplicates", () => {
    const content = [
      '\uFEFF{"_id": "q1", "text": "one", "metadata": {"lang": "de", "n": 3, "deep": {}}, "lang": "en"}\r',
      "",
      '{"id": "q2", "text": "two", "lang": "en", "title": null}',
      '{"_id": "q1", "text": "again"}',
    ].join("\n");
    expect(parseQueries(content, "queries.jsonl")).toEqual({
      queries: [
        {
          id: "q1",
          text: "one",
          labels: new Map([
            ["lang", "de"],
            ["n", "3"],
          ]),
        },
        { id: "q2", text: "two", labels: new Map([["lang", "en"]]) },
      ],
      duplicates: 1,
    });
  });
  it("names every bad line, and quotes none", () => {
    const content = [
      '{"_id": "a", "text": "secret"}',
      "{secret",
      "[]",
      '{"text": "secret"}',
      '{"_id": "b", "text": " "}',
      '{"_id": 3, "text": "secret"}',
    ].join("\n");
    expect(problemsOf(() => parseQueries(content, "q.jsonl"))).toEqual([
      "q.jsonl:2 expected a JSON object, found something else",
      "q.jsonl:3 expected a JSON object, found something else",
      'q.jsonl:4 expected a string "_id" or "id", found none',
      'q.jsonl:5 expected a string "text" that is not blank, found none',
      'q.jsonl:6 expected a string "_id" or "id", found none',
    ]);
  });
  it("tells how many more there are than it names", () =>
    expect(() => parseQueries("x\n".repeat(25), "q.jsonl")).toThrow(
      "q.jsonl:1: expected a JSON object, found something else, and 5 more",
    ));
  it("an empty file is an error", () =>
    expect(() => parseQueries("\n", "q.jsonl")).toThrow(expect.objectContaining({ code: "EMB_QUERIES_INVALID" })));
});

it("parsePlainQueries takes one query a line under its number", () =>
  expect(parsePlainQueries("first\n\n  third \n", "q.txt").queries.map(({ id, text }) => [id, text])).toEqual([
    ["1", "first"],
    ["3", "third"],
  ]));

describe("parseQrels", () => {
  it.each([
    ["BEIR", "query-id\tcorpus-id\tscore\nq1\ta file.md\t2\nq1\tb\t0\nq2\tb\t1\nq1\tb\t1\n"],
    ["TREC", "q1\t0\ta file.md\t2\nq1\t0\tb\t0\nq2 0 b 1\nq1 0 b 1\nq2 0 c -1\n"],
  ])("reads the layout of %s", (_name, content) => {
    const { judgements, duplicates } = parseQrels(content, "qrels");
    expect(judgements).toEqual(
      new Map([
        [
          "q1",
          new Map([
            ["a file.md", 2],
            ["b", 0],
          ]),
        ],
        ["q2", new Map([["b", 1]])],
      ]),
    );
    expect(duplicates).toBe(1);
  });
  it("names every bad line", () => {
    const content = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\nq1\td3\t0.5\nq1\t\t1\nq1 0 d4 1\n";
    expect(problemsOf(() => parseQrels(content, "qrels.tsv"))).toEqual([
      "qrels.tsv:3 expected 3 fields, found 2",
      "qrels.tsv:4 expected a whole number as the grade, found something else",
      "qrels.tsv:5 expected the ids of a query and a document, found a blank",
      "qrels.tsv:6 expected 3 fields, found 4",
    ]);
  });
});

describe("a TREC run", () => {
  it("is read back as it was written, in trec_eval's order", () => {
    const found = rankDocuments([
      { id: "b", score: 0.5 },
      { id: "c", score: 0.5 },
      { id: "a", score: 0.1 },
      { id: "a", score: 0.7 },
    ]);
    const text = formatTrecRun([["q1", found]], "st_minilm");
    expect(text).toBe("q1 Q0 a 1 0.7 st_minilm\nq1 Q0 c 2 0.5 st_minilm\nq1 Q0 b 3 0.5 st_minilm\n");
    expect(parseTrecRun(text, "run")).toEqual({ rankings: new Map([["q1", found]]), tag: "st_minilm", duplicates: 0 });
  });
  it("keeps its columns when an id has white space", () =>
    expect(formatTrecRun([["q 1", [{ id: "a b\tc.md", score: 1 }]]], "t")).toBe("q 1\tQ0\ta b%09c.md\t1\t1\tt\n"));

  it("is read back as it was written, ids with spaces too", () => {
    const documents = [
      { id: "people/sick leave.md", score: 0.5 },
      { id: "b.md", score: 0.25 },
    ];
    expect(parseTrecRun(formatTrecRun([["q 1", documents]], "t"), "f").rankings).toEqual(new Map([["q 1", documents]]));
  });
  it("names every bad line, and counts duplicates", () => {
    expect(
      problemsOf(() => parseTrecRun("q Q0 a 1 0.5 t\nq Q0 b 2 t\nq Q0 b 2 high t\nq Q0 c 3 NaN t\n", "run")),
    ).toEqual([
      "run:2 expected 6 fields, found 5",
      "run:3 expected a finite number as the score, found something else",
      "run:4 expected a finite number as the score, found something else",
    ]);
    expect(parseTrecRun("q Q0 a 1 0.5 t\nq Q0 a 2 0.4 t\n", "run").duplicates).toBe(1);
  });
  it("orders equal scores by the bytes of the id, falling", () =>
    expect(
      rankDocuments(["a", "\u{10000}", "\uFB01", "z"].map((id) => ({ id, score: 1 }))).map(({ id }) => id),
    ).toEqual(["\u{10000}", "\uFB01", "z", "a"]));
});

it("assembleQuerySet counts what is odd", () => {
  const queries = parseQueries(
    '{"_id":"b","text":"x"}\n{"_id":"a","text":"x"}\n{"_id":"c","text":"x"}\n{"_id":"a","text":"y"}',
    "q",
  );
  const set = assembleQuerySet(queries, parseQrels("a 0 d1 1\na 0 d2 0\nb 0 d3 0\nz 0 d4 1\na 0 d1 1\n", "r"));
  expect(set.queries.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(set.oddities).toEqual({
    duplicateQueries: 1,
    duplicateJudgements: 1,
    queriesWithoutJudgements: 1,
    queriesWithoutRelevant: 1,
    judgedQueriesMissing: 1,
    judgedDocumentsMissing: null,
  });
  expect(judgedDocuments(set)).toEqual(new Set(["d1", "d2", "d3"]));
});
