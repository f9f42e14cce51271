import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createFilledProject, documentOf, failureOf, type Project } from "./command.fixture.js";

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
    await project.write("config/staging.yaml", "embedding: { profile: one }\n");
    const asked = await retire("docs_two");
    expect({ exit: asked.code, code: failureOf(asked).code }).toEqual({ exit: 2, code: "EMB_CONSENT_REQUIRED" });
    expect(documentOf(await project.emb(["status", "--json"]), Status).namespaces).toContainEqual({
      namespace: "docs_two",
      state: "ready",
    });
  });

  it("drops the vectors, ends their runs, and lets the documents fill it anew", async () => {
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
      { namespace: "docs_one", state: "ready" },
    ]);
    const again = await retire("docs_two", "--yes");
    expect({ exit: again.code, code: failureOf(again).code }).toEqual({ exit: 78, code: "EMB_NAMESPACE_NOT_FOUND" });
    const refill = ["reingest", "--to", "two", "--source", "docs", "--yes"];
    expect((await project.emb(refill, { EMBEDDING_PROFILE_EXPERIMENT: "two" })).code).toBe(0);
  });
});
