import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, shown, type Project } from "./command.fixture.js";

const places = Array.from({ length: 24 }, (_, place) => place);
const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const file = (rollout: string) =>
  `# Guarded.\nembedding:\n  profile: one # since the spring\nrollout:\n  queries: queries\n${rollout}`;

const Checked = z.object({
  ok: z.boolean(),
  steps: z.array(
    z.object({ name: z.string(), ok: z.boolean(), state: z.string(), seen: z.string(), action: z.string().nullable() }),
  ),
  next: z.string().nullable(),
});

describe("from a baseline to the next", () => {
  let project: Project;
  const approved = { EMBEDDING_PROFILE_EXPERIMENT: "two" };
  const check = async (env = {}) => {
    const ended = await project.emb(["rollout", "check", "--to", "two", "--json"], env);
    const { ok, steps, next } = documentOf(ended, Checked);
    const states = Object.fromEntries(steps.map(({ name, state }) => [name, state]));
    return { exit: ended.code, ok, next, states, steps: new Map(steps.map((step) => [step.name, step])) };
  };

  beforeAll(async () => {
    project = await createProject({
      "config/production.yaml": file(""),
      "docs.jsonl": lines(
        places.map((place) => ({ _id: `ferry-${place}`, text: `Ferry number ${place} carries ${place * 7} sheep.` })),
      ),
      "queries/queries.jsonl": lines(places.map((place) => ({ _id: `q${place}`, text: `Sheep on ferry ${place}` }))),
      "queries/qrels.tsv": [
        "query-id\tcorpus-id\tscore",
        ...places.map((place) => `q${place}\tferry-${place}\t1`),
      ].join("\n"),
    });
  });
  afterAll(() => project.remove());

  it("before anything: says what is open, in its order, and with the command", async () => {
    const { exit, ok, next, states, steps } = await check();
    expect({ exit, ok, next, states }).toEqual({
      exit: 1,
      ok: false,
      next: null,
      states: { gate: "open", requirements: "ok", plan: "open", verify: "waits", compare: "waits" },
    });
    expect(steps.get("gate")?.action).toContain("EMBEDDING_PROFILE_EXPERIMENT=two");
    expect(steps.get("plan")).toMatchObject({
      seen: "docs_two is not there",
      action: "emb reingest --to two --source SOURCE --yes",
    });
  });

  it("with the documents of the baseline: plans a fill from what is stored", async () => {
    const filled = await project.emb(["reingest", "--to", "one", "--source", "docs.jsonl", "--yes"]);
    expect(filled.code, filled.stderr).toBe(0);
    const { exit, steps } = await check(approved);
    expect(exit).toBe(1);
    expect(steps.get("gate")?.state).toBe("ok");
    const { seen, action } = steps.get("plan")!;
    expect(seen).toMatch(
      /^docs_two is not there: 24 of 24 chunks of 24 documents to embed, \d+ tokens, price unknown$/,
    );
    const again = await project.emb(action!.split(" ").slice(1), approved); // the command that it shows is the one that does it
    expect(again.code, again.stderr).toBe(0);
  });

  it("filled: nothing stands between, and the next step is to lock in", async () => {
    const { exit, ok, next, states } = await check(approved);
    expect({ exit, ok, next, states }).toEqual({
      exit: 0,
      ok: true,
      next: "emb rollout lock-in --env production --to two --write",
      states: { gate: "ok", requirements: "ok", plan: "ok", verify: "ok", compare: "ok" },
    });
  });

  it("the file's own terms decide: a gain that is not there leaves it undecided, exit 3", async () => {
    await project.write("config/production.yaml", file("  min_effect: 0.1\n"));
    const { exit, states, steps } = await check(approved);
    expect([exit, states["compare"]]).toEqual([3, "undecided"]);
    expect(steps.get("compare")?.action).toContain("then: emb compare --baseline one --candidate two");
  });

  it("no queries named anywhere is an item of the list, and says where to name them", async () => {
    await project.write("config/production.yaml", "embedding: { profile: one }\n");
    const { exit, steps } = await check(approved);
    expect([exit, steps.get("compare")?.state]).toEqual([1, "open"]);
    expect(steps.get("compare")?.action).toContain("write rollout.queries into");
  });

  it("locks in: shows the change, writes it when told, keeps the comments, and then nothing is left", async () => {
    await project.write("config/production.yaml", file("  canary: { profile: two }\n"));
    const lockIn = ["rollout", "lock-in", "--env", "production", "--to", "two"];
    const seen = await project.emb(lockIn, { ENV: "development" }); // another environment's file than this process's
    expect(seen.code, seen.stderr).toBe(0);
    expect(seen.stdout).toContain("-   profile: one # since the spring\n+   profile: two # since the spring\n");
    expect(seen.stdout).toContain("rollout.canary names two too");
    const path = join(project.dir, "config/production.yaml");
    const before = await readFile(path, "utf8");
    expect(before).toContain("profile: one");

    const written = await project.emb([...lockIn, "--write", "--json"], approved);
    const Written = z.object({ changed: z.boolean(), written: z.boolean(), from: z.string(), to: z.string() });
    expect(documentOf(written, Written)).toEqual({ changed: true, written: true, from: "one", to: "two" });
    expect(await readFile(path, "utf8")).toBe(before.replace("profile: one", "profile: two"));
    expect(await check()).toMatchObject({ exit: 0, next: null, states: { gate: "ok", compare: "ok" } });
  });

  it("refuses to lock in a profile that the manifest lacks, or none", async () => {
    const ended = await project.emb(["rollout", "lock-in", "--to", "too", "--write"]);
    expect(shown(ended, project)).toMatchObject({ exit: 78, actions: ['Did you mean "two"?'] });
    expect(shown(await project.emb(["rollout", "lock-in"]), project)).toMatchObject({ exit: 2 });
  });
});
