import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { z } from "zod";
import { createEmbeddedDriver } from "@emb/store";
import { createFilledProject, documentOf, failureOf, type Project } from "./command.fixture.js";
import { retire as retireCommand } from "./commands/retire.js";
import { terminalIn } from "./terminal.fixture.js";

const Retired = z.object({
  ok: z.boolean(),
  retired: z.boolean(),
  namespace: z.string(),
  profile: z.string(),
  code: z.string().optional(),
  reasons: z.array(z.string()),
});
const Status = z.object({
  namespaces: z.array(z.object({ namespace: z.string(), state: z.string() })),
  runs: z.array(z.object({ namespace: z.string(), state: z.string() })),
});
const Audit = z.object({
  entries: z.array(z.object({ action: z.string(), detail: z.record(z.string(), z.unknown()) })),
});

describe("emb retire", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createFilledProject({ "config/staging.yaml": "embedding: { profile: two }\n" });
  });
  afterAll(() => project.remove());
  const retire = (...args: string[]) => project.emb(["retire", ...args, "--json"]);

  it("keeps what any environment's configuration uses, and names which", async () => {
    const baseline = await retire("docs_one", "--yes");
    expect(baseline.code).toBe(1);
    expect(documentOf(baseline, Retired)).toMatchObject({
      retired: false,
      code: "EMB_RETIRE_REFUSED",
      reasons: ["environment production: its baseline profile one lives there"],
    });
    expect(documentOf(await retire("docs_two", "--yes"), Retired).reasons).toEqual([
      "environment staging: its baseline profile two lives there",
    ]);
  });

  it("keeps everything while one of the files cannot be read, and asks only when nothing speaks against it", async () => {
    await project.write("config/staging.yaml", "embedding: [\n");
    expect(documentOf(await retire("docs_two", "--yes"), Retired).reasons).toEqual([
      "environment staging: its configuration cannot be read, so it may use it (EMB_YAML_SYNTAX)",
    ]);
    await project.write("config/staging.yaml", "embedding: { profile: one }\nrollout: { canary: { profile: two } }\n");
    expect(documentOf(await retire("docs_two", "--yes"), Retired).reasons).toEqual([
      "environment staging: its canary profile two lives there",
    ]);
    await project.write("config/staging.yaml", "embedding: { profile: renamed }\n");
    expect(documentOf(await retire("docs_two", "--yes"), Retired).reasons).toEqual([
      "environment staging: its configuration cannot be read, so it may use it (profile renamed is not in the manifest)",
    ]);
    await project.write("config/staging.yaml", "embedding: { profile: one }\n");
    const asked = await retire("docs_two");
    expect({ exit: asked.code, code: failureOf(asked).code }).toEqual({ exit: 2, code: "EMB_CONSENT_REQUIRED" });
    expect(documentOf(await project.emb(["status", "--json"]), Status).namespaces).toContainEqual({
      namespace: "docs_two",
      state: "ready",
    });
  });

  const byHand = async (statements: string) => {
    const driver = await createEmbeddedDriver({ directory: join(project.dir, ".emb", "postgres") });
    await driver.exec(statements);
    await driver.close();
  };
  const reasons = async (env: Record<string, string> = {}) => {
    const asked = await project.emb(["retire", "docs_two", "--json"], env);
    return asked.code === 1 ? documentOf(asked, Retired).reasons : failureOf(asked).code;
  };

  it("keeps what a reader of the last hour used, and what an unfinished run fills", async () => {
    const seen = (minutes: number, left = "NULL") =>
      byHand(`DELETE FROM emb.readers;
      INSERT INTO emb.readers (instance, environment, base, namespace, profile, use, seen_at, left_at)
      VALUES ('r', 'canary', 'docs', 'docs_two', 'two', 'shadow', now() - interval '${minutes} minutes', ${left})`);
    await seen(59);
    expect(await reasons()).toEqual([expect.stringMatching(/^reader r \(canary\): read it at /)]);
    await seen(59, "now()"); // stopped in order, perhaps for a deployment
    expect(await reasons()).toEqual([expect.stringMatching(/^reader r \(canary\): read it at /)]);
    await seen(61);
    expect(await reasons()).toBe("EMB_CONSENT_REQUIRED");

    const runs = (from: string, to: string) =>
      byHand(`UPDATE emb.runs SET state = '${to}' WHERE state = '${from}' AND profile = 'two'`);
    await runs("ready", "paused");
    expect(await reasons()).toEqual([expect.stringMatching(/^run \S+: expected none unfinished, seen paused$/)]);
    await runs("paused", "ready");
  });

  it("keeps what this process itself would use, and takes no other environment to use it for that", async () => {
    const own = { EMBEDDINGS_PROFILE: "two", EMBEDDING_PROFILE_EXPERIMENT: "two" };
    expect(await reasons(own)).toEqual(["environment production: its active profile two lives there"]);
    await project.write("config/staging.yaml", "embedding: { profile: one }\nrollout: { shadow: { profile: two } }\n");
    expect(await reasons()).toEqual(["environment staging: its shadow profile two lives there"]);
    await project.write("config/staging.yaml", "embedding: { profile: one }\n");
  });

  it("asks which one is meant where two bases have one of that name", async () => {
    const args = ["reingest", "--to", "one", "--base", "docs_two", "--source", "docs", "--yes"];
    expect((await project.emb(args, { EMBEDDING_NAMESPACE_MODE: "none" })).code).toBe(0);
    const two = await retire("docs_two", "--yes");
    expect({ exit: two.code, errors: failureOf(two).errors }).toMatchObject({
      exit: 2,
      errors: [{ code: "EMB_USAGE", message: "2 bases have a namespace docs_two: docs, docs_two" }],
    });
    expect((await retire("docs_two", "--base", "docs_two", "--yes")).code).toBe(0);
  });

  it("on a terminal has the name typed, and drops nothing for a yes", async () => {
    const answered = (answer: string) =>
      retireCommand(terminalIn(project, answer).session, { namespace: "docs_two", yes: false });
    for (const answer of ["yes", "docs_one"])
      await expect(answered(answer)).rejects.toMatchObject({ code: "EMB_CONSENT_REQUIRED" });
    expect(documentOf(await project.emb(["status", "--json"]), Status).namespaces).toContainEqual({
      namespace: "docs_two",
      state: "ready",
    });
  });

  it("looks again after the name was typed, and records what it does before it does it", async () => {
    const { session } = terminalIn(project, "docs_two");
    const whileTyped = async (question: string) => {
      await project.write("config/staging.yaml", "embedding: { profile: two }\n");
      return session.output.ask(question);
    };
    const output = { ...session.output, ask: whileTyped };
    expect(await retireCommand({ ...session, output }, { namespace: "docs_two", yes: false })).toBe(1);
    await project.write("config/staging.yaml", "embedding: { profile: one }\n");

    await byHand("ALTER TABLE emb.audit ADD CONSTRAINT shut CHECK (sequence < 0) NOT VALID");
    expect((await retire("docs_two", "--yes")).code).not.toBe(0);
    await byHand("ALTER TABLE emb.audit DROP CONSTRAINT shut");
    expect(documentOf(await project.emb(["status", "--json"]), Status).namespaces).toContainEqual({
      namespace: "docs_two",
      state: "ready",
    });
  });

  it("drops the vectors, ends their runs, and lets the documents fill it anew", async () => {
    await byHand(`INSERT INTO emb.runs (id, base, namespace_id, profile, source, state, version)
      SELECT 'torn', base, namespace_id, profile, source, 'failed', version FROM emb.runs WHERE profile = 'two';
      INSERT INTO emb.run_spend (run_id) VALUES ('torn')`);
    const retired = await retire("docs_two", "--yes");
    expect(retired.code).toBe(0);
    expect(documentOf(retired, Retired)).toEqual({
      ok: true,
      retired: true,
      namespace: "docs_two",
      profile: "two",
      reasons: [],
    });
    const { namespaces, runs } = documentOf(await project.emb(["status", "--json"]), Status);
    expect(namespaces).toContainEqual({ namespace: "docs_two", state: "retired" });
    expect(runs).toEqual([
      { namespace: "docs_two", state: "retired" },
      { namespace: "docs_two", state: "retired" },
      { namespace: "docs_one", state: "ready" },
    ]);
    const { entries } = documentOf(await project.emb(["audit", "list", "--limit", "1", "--json"]), Audit);
    expect(entries).toEqual([
      { action: "namespace.retired", detail: { namespace: "docs_two", base: "docs", profile: "two" } },
    ]);
    const again = await retire("docs_two", "--yes");
    expect({ exit: again.code, code: failureOf(again).code }).toEqual({ exit: 78, code: "EMB_NAMESPACE_NOT_FOUND" });
    const refill = ["reingest", "--to", "two", "--source", "docs", "--yes"];
    expect((await project.emb(refill, { EMBEDDING_PROFILE_EXPERIMENT: "two" })).code).toBe(0);
  });
});
