import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openEmbeddedStore } from "@emb/store";
import { documentOf, createProject, shown, type Project } from "./command.fixture.js";

const FERRIES = 40;
const places = Array.from({ length: FERRIES }, (_, place) => place);
const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
/** Every second question is about the north line. */
const lineOf = (place: number) => (place % 2 === 0 ? "north" : "south");
const FILES = {
  "queries/corpus.jsonl": lines(
    places.map((place) => ({
      _id: `ferry-${place}`,
      text: `Ferry number ${place} leaves at ${place} minutes past noon and carries ${place * 7} sheep.`,
    })),
  ),
  "queries/queries.jsonl": lines(
    places.map((place) => ({
      _id: `q${place}`,
      text: `When does ferry number ${place} leave?`,
      metadata: { line: lineOf(place) },
    })),
  ),
  "queries/qrels.tsv": [
    "query-id\tcorpus-id\tscore",
    ...places.map((place) => `q${place}\tferry-${place}\t1`),
    "q0\tferry-none\t1",
  ].join("\n"),
};

/** A run in which the right ferry stands at this rank. */
const runFile = (rankOf: (place: number) => number, asked = places): string =>
  asked
    .flatMap((place) =>
      Array.from(
        { length: 5 },
        (_, at) =>
          `q${place} Q0 ${at + 1 === rankOf(place) ? `ferry-${place}` : `other-${at}`} ${at + 1} ${1 - at / 10} test\n`,
      ),
    )
    .join("");

const Compared = z.looseObject({
  verdict: z.string(),
  difference: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  queries_needed: z.number().nullable(),
  reasons: z.array(z.object({ code: z.string(), slice: z.string().nullable(), text: z.string() })),
  metrics: z.record(z.string(), z.object({ baseline: z.number(), candidate: z.number(), difference: z.number() })),
  slices: z.array(z.object({ slice: z.string(), verdict: z.string().nullable(), queries: z.number() })),
  warnings: z.array(z.object({ code: z.string(), text: z.string() })),
  oddities: z.looseObject({ judged_documents_missing: z.number().nullable() }),
  candidate: z.object({
    latency_ms: z.object({ p50: z.number(), p95: z.number() }).nullable(),
    namespace: z.string().nullable(),
  }),
  base: z.string(),
  inputs: z.record(z.string(), z.string()),
});
const Status = z.object({
  namespaces: z.array(z.unknown()),
  shadow_reads: z.array(z.looseObject({ oldest_at: z.iso.datetime() })),
  verdicts: z.array(
    z.object({
      verdict: z.string(),
      baseline: z.string(),
      candidate: z.string(),
      inputs: z.record(z.string(), z.string()),
    }),
  ),
});

describe("a verdict from the command line", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject({
      ...FILES,
      "good.run": runFile(() => 1),
      "south.run": runFile((place) => (lineOf(place) === "south" ? 2 + (place % 3) : 1)),
      "north-better.run": runFile((place) => (lineOf(place) === "north" ? 4 : 1)),
      "part.run": runFile(
        () => 1,
        places.filter((place) => place % 5 !== 0),
      ),
      "only/queries.jsonl": FILES["queries/queries.jsonl"],
      "bad/queries.jsonl": `${FILES["queries/queries.jsonl"]}\n{"_id": "q99"}\n`,
    });
  });
  afterAll(() => project.remove());

  it("a namespace that is not there is an error naming the command that makes it", async () => {
    const ended = shown(
      await project.emb(["compare", "--baseline", "one", "--candidate", "two", "--queries", "queries"]),
      project,
    );
    expect(ended.exit).toBe(78);
    expect(ended.errors[0]).toContain("EMB_NAMESPACE_NOT_FOUND");
    expect(ended.actions[0]).toBe(
      "Make it: emb reingest --to one --source SOURCE --base docs --yes. Or add --ingest, which fills a namespace of its own with queries/corpus.jsonl.",
    );
  });

  it("a profile against itself is GO by exactly 0, in a scratch namespace, and is kept", async () => {
    const ended = await project.emb([
      "compare",
      "--baseline",
      "two",
      "--candidate",
      "two",
      "--queries",
      "queries",
      "--ingest",
      "--json",
    ]);
    expect(ended.code, ended.stderr).toBe(0); // `two` may not serve in production: a comparison is not gated
    const compared = documentOf(ended, Compared);
    expect(compared).toMatchObject({
      verdict: "GO",
      difference: 0,
      lower: 0,
      upper: 0,
      oddities: { judged_documents_missing: 1 },
    });
    expect(compared.base).toMatch(/^eval_[0-9a-f]{12}$/);
    expect(compared.candidate.latency_ms!.p95).toBeGreaterThan(0);
    const status = documentOf(await project.emb(["status", "--json"]), Status);
    expect(status.namespaces).toEqual([]); // the real base was not touched
    expect(status.verdicts).toMatchObject([{ verdict: "GO", baseline: "two", candidate: "two" }]);
    expect(Object.keys(status.verdicts[0]!.inputs).toSorted()).toEqual(["corpus", "qrels", "queries"]);
  });

  it("emb eval writes a run, which compares with the profile that gave it as equal", async () => {
    const ended = await project.emb([
      "eval",
      "--profile",
      "two",
      "--queries",
      "queries",
      "--concurrency",
      "4",
      "--ingest",
      "--run-file",
      "two.run",
      "--json",
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    const { metrics } = documentOf(ended, z.object({ metrics: z.record(z.string(), z.object({ mean: z.number() })) }));
    expect(metrics["success"]!.mean).toBeGreaterThan(0.5);
    const run = await readFile(join(project.dir, "two.run"), "utf8");
    expect(run.trimEnd().split("\n")).toHaveLength(FERRIES * FERRIES); // every document of every query, each once
    expect(run).toMatch(/^q0 Q0 ferry-\d+ 1 0\.\d+ two\n/);
    const same = await project.emb([
      "compare",
      "--baseline",
      "run:two.run",
      "--candidate",
      "run:two.run",
      "--queries",
      "queries",
      "--json",
    ]);
    expect(documentOf(same, Compared).metrics["ndcg"]!.baseline).toBeCloseTo(metrics["ndcg"]!.mean, 12);
  });

  it("queries that the query service recorded are asked again, as queries that nobody judged", async () => {
    const corpus = createHash("sha256").update(FILES["queries/corpus.jsonl"]).digest("hex");
    const base = `eval_${corpus.slice(0, 12)}`; // filled above
    const compare = (...more: string[]) =>
      project.emb(["compare", "--baseline", "two", "--candidate", "two", "--base", base, ...more]);
    const none = shown(await compare("--queries", "shadow"), project);
    expect([none.exit, none.errors[0]]).toEqual([
      2,
      `EMB_QUERIES_INVALID base ${base}: expected recorded shadow reads, found none`,
    ]);
    expect(none.actions[0]).toContain("Write rollout.shadow into ./config/production.yaml");

    const store = await openEmbeddedStore({ dataDir: join(project.dir, ".emb") });
    const answer = { profile: "one", namespace: "n", documents: [{ id: "ferry-1", score: 0.5 }], latencyMs: 1 };
    const candidate = { ...answer, profile: "two", documents: [{ id: "ferry-2", score: 1 }, ...answer.documents] };
    for (const place of [...places.slice(0, 8), 0, 1])
      await store.shadowReads.record({
        base,
        query: `When does ferry number ${place} leave?`,
        k: 2,
        baseline: answer,
        candidate: place === 7 ? { ...candidate, documents: [] } : candidate,
        outcome: place === 7 ? "timeout" : "answered",
      });
    const sampled = await store.shadowReads.sampleQueries({ base, limit: 5, seed: 7 });
    await store.close();

    const ended = await compare("--queries", "shadow:5", "--seed", "7", "--json");
    expect(ended.code, ended.stderr).toBe(3);
    const compared = documentOf(ended, Compared);
    expect(compared).toMatchObject({ verdict: "INCONCLUSIVE", base, queries: 5, judged_queries: 0 });
    expect(compared.similarity).toMatchObject({ queries: 5, overlap: 1, rbo: 1, kendall_tau: 1 });
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    const inOrder = sampled.toSorted((a, b) => (sha256(a) < sha256(b) ? -1 : 1));
    expect(compared.inputs).toEqual({ queries: sha256(inOrder.join("\0")) });
    expect(ended.stdout + ended.stderr).not.toContain("When does"); // users' texts

    await project.write("config/production.yaml", "embedding: { profile: one }\nrollout: { queries: 'shadow:5' }\n");
    const configured = await compare("--seed", "7", "--json");
    expect(configured.code, configured.stderr).toBe(3);
    expect(documentOf(configured, Compared)).toMatchObject({ queries: 5, inputs: compared.inputs });
    await project.write("config/production.yaml", "embedding: { profile: one }\n");

    const status = documentOf(await project.emb(["status", "--base", base, "--json"]), Status);
    expect(status.shadow_reads).toMatchObject([
      { baseline: "one", candidate: "two", reads: 10, answered: 9, overlap: 0.5 },
    ]);
  });

  it("recorded queries have no corpus to fill a scratch namespace with", async () => {
    const flags = ["--profile", "two", "--queries", "shadow:5", "--ingest"];
    const ended = shown(await project.emb(["eval", ...flags]), project);
    expect([ended.exit, ended.errors[0]]).toEqual([
      2,
      "EMB_USAGE --ingest: expected queries with a corpus, got recorded ones, which have none",
    ]);
  });

  it("a set in which one slice alone drops is NO-GO and names it, exit 1", async () => {
    const ended = await project.emb([
      "compare",
      "--baseline",
      "run:north-better.run",
      "--candidate",
      "run:south.run",
      "--queries",
      "queries",
      "--slice",
      "line",
      "--report",
      "report.html",
      "--summary",
      "report.md",
      "--json",
    ]);
    expect(ended.code, ended.stderr).toBe(1);
    const report = await readFile(join(project.dir, "report.html"), "utf8");
    expect(report).toContain("<title>NO-GO: run:north-better.run to run:south.run</title>");
    expect(report).toContain("slice south: ndcg@10: upper bound -");
    expect(await readFile(join(project.dir, "report.md"), "utf8")).toMatch(/^### ⛔ NO-GO: `run:south\.run` must not/);
    const compared = documentOf(ended, Compared);
    expect(compared.difference).toBeGreaterThan(0); // the whole gets better
    expect(compared.reasons[0]).toMatchObject({ code: "worse", slice: "south" });
    expect(compared.slices).toEqual([
      { slice: "north", verdict: "GO", queries: 20 },
      { slice: "south", verdict: "NO-GO", queries: 20 },
    ]);
  });

  it("a run file that lacks judged queries loses by them as a candidate, wins nothing by them as a baseline, and says so", async () => {
    const compare = (baseline: string, candidate: string, ...more: string[]) =>
      project.emb(["compare", "--baseline", baseline, "--candidate", candidate, "--queries", "queries", ...more]);
    const ids = ["q0", "q10", "q15", "q20", "q25"];
    const candidate = await compare("run:good.run", "run:part.run");
    expect([candidate.code, candidate.stdout]).toEqual([
      1,
      expect.stringContaining(
        "  warning 8 of 40 judged queries are not in the candidate's run file (20%): they score 0, so the candidate may lose by that alone\n",
      ),
    ]);
    expect(candidate.stdout).toContain(
      `odd: 8 judged queries are not in the candidate's run file, so they score 0; the first: ${ids.join(", ")}\n`,
    );
    const baseline = documentOf(await compare("run:part.run", "run:good.run", "--json"), Compared);
    expect(baseline).toMatchObject({
      verdict: "GO",
      difference: 0,
      judged_queries: 40,
      unanswered: 8,
      warnings: [{ code: "not-in-baseline-run" }],
      oddities: {
        judged_documents_missing: null, // two run files do not tell
        not_in_baseline_run: { queries: 8, ids },
        not_in_candidate_run: { queries: 0, ids: [] },
      },
    });
    const evaluated = await project.emb(["eval", "--profile", "run:part.run", "--queries", "queries"]);
    expect(evaluated.stdout).toContain(
      "odd: 8 judged queries are not in the run file, so they score 0; the first: q0, ",
    );
    expect(evaluated.stdout).toMatch(/^success@10 +0\.8000 /m);
  });

  it("queries without judgements are INCONCLUSIVE, exit 3, and people are told in words", async () => {
    const ended = await project.emb([
      "compare",
      "--baseline",
      "run:good.run",
      "--candidate",
      "run:south.run",
      "--queries",
      "only",
    ]);
    expect(ended.code, ended.stderr).toBe(3);
    expect(ended.stdout).toContain("INCONCLUSIVE  run:good.run -> run:south.run, 40 queries, 0 judged\n");
    expect(ended.stdout).toContain("no query has a judgement, so only how much the answers differ can be said");
  });

  it("a slice by a field that no query has is refused, and those that there are are named, exit 2", async () => {
    const sides = ["--baseline", "run:good.run", "--candidate", "run:south.run", "--queries", "queries"];
    const ended = shown(await project.emb(["compare", ...sides, "--slice", "lnie"]), project);
    expect(ended.exit).toBe(2);
    expect(ended.errors[0]).toContain('--slice: expected a field that a query has, got "lnie"');
    expect(ended.actions).toEqual(["There are: line."]);
  });

  it.each([
    [
      "compare",
      "--report",
      "nowhere/a.html",
      "a file that can be written",
      '"nowhere/a.html", and there is no folder "nowhere"',
    ],
    ["compare", "--summary", "queries", "a file that can be written", 'the folder "queries"'],
    ["eval", "--run-file", "queries", "a file that can be written", 'the folder "queries"'],
    ["eval", "--concurrency", "1.5", "a whole number from 1 to 64", '"1.5"'],
  ])("emb %s %s %s is refused before a query is read, exit 2", async (command, flag, value, expected, got) => {
    const sides =
      command === "eval"
        ? ["--profile", "run:good.run"]
        : ["--baseline", "run:good.run", "--candidate", "run:south.run"];
    const ended = shown(await project.emb([command, ...sides, "--queries", "bad", flag, value]), project);
    expect([ended.exit, ended.errors]).toEqual([2, [`EMB_USAGE ${flag}: expected ${expected}, got ${got}`]]);
  });

  it("a bad line is named with its file and number, exit 2", async () => {
    const ended = shown(await project.emb(["eval", "--profile", "run:good.run", "--queries", "bad"]), project);
    expect([ended.exit, ended.errors]).toEqual([
      2,
      ['EMB_QUERIES_INVALID ./bad/queries.jsonl:41:1: expected a string "text" that is not blank, found none'],
    ]);
  });
});
