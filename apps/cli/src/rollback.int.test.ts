import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createEmbeddedDriver, openEmbeddedStore } from "@emb/store";
import { createFilledProject, documentOf, failureOf, shown, type Project } from "./command.fixture.js";

const EXPERIMENT = { EMBEDDING_PROFILE_EXPERIMENT: "two" };

describe("going back", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createFilledProject();
  });
  afterAll(() => project.remove());

  it("is refused to a profile without a namespace in this mode, to an unknown one, and without a wait that is a number", async () => {
    const unknown = await project.emb(["rollback", "--to", "tow", "--json"]);
    expect({ exit: unknown.code, code: failureOf(unknown).code }).toEqual({ exit: 78, code: "EMB_PROFILE_UNKNOWN" });
    const elsewhere = await project.emb(["rollback", "--to", "one", "--base", "other", "--json"]);
    expect(elsewhere.code).toBe(1);
    expect(documentOf(elsewhere, Refused).reasons).toEqual([
      "profile one has no namespace here: expected one in state ready",
    ]);
    const wait = await project.emb(["rollback", "--to", "one", "--wait", "--timeout-s", "soon", "--json"]);
    expect({ exit: wait.code, code: failureOf(wait).code }).toEqual({ exit: 2, code: "EMB_USAGE" });
  });

  it("is refused in another namespace mode than the base was made with", async () => {
    const refused = await project.emb(["rollback", "--to", "one"], { EMBEDDING_NAMESPACE_MODE: "version" });
    expect(shown(refused, project)).toEqual({
      exit: 78,
      errors: [
        "EMB_NAMESPACE_MODE_MISMATCH base docs: expected namespace mode profile, with which it was made, got version",
      ],
      actions: ["Set EMBEDDING_NAMESPACE_MODE=profile."],
      stack: false,
    });
  });

  it("says what to set, embeds nothing, and is refused with the lag once the old namespace is behind", async () => {
    const store = await openEmbeddedStore({ dataDir: join(project.dir, ".emb") });
    const reader = { environment: "production", base: "docs", namespace: "docs_one", profile: "one" };
    await store.readers.report({ ...reader, instance: "one", use: "serving" });
    await store.readers.report({ ...reader, instance: "beside", namespace: "docs_two", profile: "two", use: "shadow" });
    await store.close();
    const back = await project.emb(["rollback", "--to", "one", "--wait", "--timeout-s", "3", "--json"]);
    expect(back.stderr).toContain("1 readers report one"); // whatever a shadow asks
    expect(back.code).toBe(0);
    expect(documentOf(back, RolledBack)).toEqual({
      from: "one",
      to: "one",
      namespace: "docs_one",
      texts_embedded: 0,
      lag: 0,
      environment: ["unset EMBEDDINGS_PROFILE", "unset EMBEDDING_PROFILE_EXPERIMENT"],
      yaml: "embedding:\n  profile: one",
    });
    const forth = documentOf(await project.emb(["rollback", "--to", "two", "--json"]), RolledBack);
    expect(forth.environment).toEqual(["EMBEDDINGS_PROFILE=two", "EMBEDDING_PROFILE_EXPERIMENT=two"]);

    await project.write("docs/ferry-0001.md", "Ferry number 1 was sold.\n");
    expect((await project.emb(["reingest", "--to", "two", "--source", "docs", "--yes"], EXPERIMENT)).code).toBe(0);
    const refused = await project.emb(["rollback", "--to", "one", "--json"]);
    expect(refused.code).toBe(1);
    expect(documentOf(refused, Refused)).toEqual({
      code: "EMB_ROLLBACK_REFUSED",
      lag: 1,
      set_aside: 0,
      texts_embedded: 0,
      reasons: ["namespace docs_one: expected lag 0, seen 1 documents not yet as they are now"],
    });
    const people = await project.emb(["rollback", "--to", "one"]);
    expect(people.code).toBe(1);
    expect(people.stdout.trimEnd().split("\n").at(-1)).toBe(
      "  -> emb reingest --to one brings it up to date; --wait waits for a worker to, --accept-stale goes back without.",
    );
    const alone = await project.emb(["rollback", "--to", "one", "--wait", "--timeout-s", "100", "--json"]);
    expect({ exit: alone.code, lag: documentOf(alone, Refused).lag }).toEqual({ exit: 1, lag: 1 });
    expect(alone.stderr).toContain("no worker reports that would bring them"); // said at once: it was not waited for
    const stale = await project.emb(["rollback", "--to", "one", "--accept-stale", "--json"]);
    expect({ exit: stale.code, lag: documentOf(stale, RolledBack).lag }).toEqual({ exit: 0, lag: 1 });
  });

  it("leaves a row for a question under a permitted override, and none for one of the baseline", async () => {
    const newest = async () => documentOf(await project.emb(["audit", "list", "--limit", "1", "--json"]), Listed);
    const before = await newest();
    expect((await project.emb(["search", "ferry"], EXPERIMENT)).code).toBe(0);
    expect((await project.emb(["search", "ferry", "--profile", "two"], EXPERIMENT)).code).toBe(0);
    expect(await newest()).toEqual({
      rows: before.rows + 1,
      entries: [
        {
          action: "override.permitted",
          detail: {
            use: "search",
            environment: "production",
            baseline: "one",
            profile: "two",
            permitted_by: "experiment",
          },
        },
      ],
    });
  });

  it("stands in an audit log whose head can be held against it", async () => {
    const verified = await project.emb(["audit", "verify", "--json"]);
    expect(verified.code).toBe(0);
    const { ok, rows, head, first_bad } = documentOf(verified, Audit);
    expect({ ok, first_bad }).toEqual({ ok: true, first_bad: null });
    expect(rows).toBeGreaterThan(5); // runs, permitted overrides, rollbacks

    const same = await project.emb(["audit", "verify", "--expect-head", head, "--json"]);
    expect({ exit: same.code, ok: documentOf(same, Audit).ok }).toEqual({ exit: 0, ok: true });
  });
});

describe("going back to a namespace of which changes were set aside", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createFilledProject();
  });
  afterAll(() => project.remove());

  const LATE = ["late.md", "later.md"];
  /** Puts LATE, and gives up as many of them in docs_one as a worker would that cannot show them. @returns the run that filled it */
  const setAside = async (count: number): Promise<string> => {
    const store = await openEmbeddedStore({ dataDir: join(project.dir, ".emb") });
    const { id: namespaceId } = (await store.namespaces.find({ base: "docs", suffix: "one" }))!;
    for (const id of LATE) {
      const version = await store.documents.nextVersion();
      const document = {
        id,
        title: null,
        format: "text" as const,
        text: id,
        metadata: {},
        contentHash: Buffer.alloc(32),
      };
      await store.documents.put({ base: "docs", source: "put", document: { ...document, version } });
    }
    const waiting = await store.changes.claim({ namespaceId, limit: count, claimMs: 0 });
    for (const change of waiting)
      await store.changes.giveUp({ namespaceId, change, code: "EMB_VECTOR_INVALID", reason: "not finite" });
    await store.workers.report({ instance: "w", environment: "production", host: "here", pid: 1 });
    const run = (await store.runs.list({ base: "docs" })).find((listed) => listed.namespaceId === namespaceId);
    await store.close();
    return run!.id;
  };
  const rollback = (...args: string[]) => project.emb(["rollback", "--to", "one", ...args]);

  it("waits while anything of the lag is still queued", async () => {
    await setAside(1);
    const waited = await rollback("--wait", "--timeout-s", "1", "--json");
    expect(waited.code).toBe(1);
    expect(documentOf(waited, Refused)).toMatchObject({ lag: 2, set_aside: 1 });
    expect(waited.stderr).toContain("2 documents are not as they are now; waiting for a worker");
    expect(waited.stderr).not.toContain("set aside");
  });

  it("says at once how many were set aside, and what shows them and tries them again", async () => {
    const run = await setAside(1); // the other one
    const waited = await rollback("--wait", "--timeout-s", "100000", "--json");
    expect(waited.code).toBe(1);
    expect(documentOf(waited, Refused)).toMatchObject({ lag: 2, set_aside: 2 });
    expect(waited.stderr).toContain(
      `docs_one: all 2 documents that are not as they are now were set aside, and no worker brings them: emb status names them, emb runs retry ${run} tries them again`,
    );
    const people = await rollback();
    expect(people.stdout.trimEnd().split("\n").at(-1)).toBe(
      `  -> emb status names what was set aside, emb runs retry ${run} tries it again; --accept-stale goes back without.`,
    );
    expect((await rollback("--accept-stale")).code).toBe(0);
  });

  it("ends the fills of the others, writes that down, and leaves what they would have brought to the queue", async () => {
    const driver = await createEmbeddedDriver({ directory: join(project.dir, ".emb", "postgres") });
    await driver.exec(`UPDATE emb.runs SET state = 'paused' WHERE profile = 'two';
      DELETE FROM emb.changes WHERE namespace_id = (SELECT id FROM emb.namespaces WHERE namespace = 'docs_two')`);
    await driver.close();
    const { ended_runs: ended } = documentOf(await rollback("--accept-stale", "--json"), Ending);
    const { runs } = documentOf(await project.emb(["runs", "--json"]), Runs);
    expect(runs.filter(({ state }) => state === "rolled_back")).toEqual([
      { run_id: ended[0], state: "rolled_back", reason: "rolled back to one" },
    ]);
    expect(documentOf(await project.emb(["audit", "list", "--limit", "1", "--json"]), Listed).entries).toEqual([
      {
        action: "rollback",
        detail: { from: "one", to: "one", namespace: "docs_one", ended_runs: 1, texts_embedded: 0 },
      },
    ]);
    const { namespaces } = documentOf(await project.emb(["status", "--json"]), Queued);
    expect(namespaces).toContainEqual({ namespace: "docs_two", queued: LATE.length });
  });
});

const Ending = z.object({ ended_runs: z.array(z.string()) });
const Runs = z.object({ runs: z.array(z.object({ run_id: z.string(), state: z.string(), reason: z.string() })) });
const Queued = z.object({ namespaces: z.array(z.object({ namespace: z.string(), queued: z.number() })) });

const Listed = z.object({
  rows: z.number(),
  entries: z.array(z.object({ action: z.string(), detail: z.record(z.string(), z.unknown()) })),
});
const RolledBack = z
  .object({
    ok: z.literal(true),
    from: z.string(),
    to: z.string(),
    namespace: z.string(),
    texts_embedded: z.number(),
    lag: z.number(),
    environment: z.array(z.string()),
    yaml: z.string(),
  })
  .transform(({ ok: _ok, ...rest }) => rest);
const Refused = z.object({
  code: z.string().optional(),
  lag: z.number(),
  set_aside: z.number().optional(),
  texts_embedded: z.number(),
  reasons: z.array(z.string()),
});
const Audit = z.object({
  ok: z.boolean(),
  rows: z.number(),
  head: z.string(),
  first_bad: z.number().nullable(),
});
