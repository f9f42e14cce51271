import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createServerDriver } from "@emb/store/server";
import { createProject, documentOf, failureOf, type Project } from "./command.fixture.js";

const url = process.env["TEST_DATABASE_URL"]?.trim() ?? "";
const skip = url === "" ? " (skipped: TEST_DATABASE_URL is not set)" : "";
const DOCUMENTS = 240;

/** Long enough that a fill takes seconds; every text different. */
const LONG = Array.from({ length: DOCUMENTS }, (_, place) => {
  const text = Array.from({ length: 60 }, (_word, word) => `ferry${(place * 31 + word * 7) % 997}`).join(" ");
  return JSON.stringify({ id: `d${String(place).padStart(4, "0")}`, text: `${place}: ${text}` });
}).join("\n");

const Reingested = z.object({ state: z.string(), chunks: z.object({ total: z.int(), failed: z.int() }) });
const Verified = z.object({ ok: z.boolean(), expected: z.int(), found: z.int(), duplicate: z.int(), missing: z.int() });
const Runs = z.object({
  runs: z.array(z.object({ run_id: z.string(), state: z.string(), progress: z.object({ embedded: z.int() }) })),
});
const Found = z.object({ results: z.array(z.object({ document_id: z.string() })) });

describe.skipIf(skip !== "")(`the command on a PostgreSQL server${skip}`, { timeout: 300_000 }, () => {
  const schema = `emb_test_${randomBytes(6).toString("hex")}`;
  let project: Project;
  beforeAll(async () => {
    project = await createProject({
      "config/production.yaml": `embedding: { profile: one }\nstore: { schema: ${schema} }\ningest: { commit_rows: 32, shard_documents: 40, lease_ms: 10000 }\n`,
      "long.jsonl": LONG,
    });
  });
  afterAll(async () => {
    await project.remove();
    const driver = await createServerDriver({ connectionString: url });
    await driver.exec(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await driver.close();
  });
  const server = { DATABASE_URL: url };
  const fill = (profile: string) => ["reingest", "--to", profile, "--source", "long.jsonl", "--yes", "--json"];
  const expectWhole = async (profile: string) => {
    const verified = await project.emb(["verify", "namespace", "--profile", profile, "--json"], server);
    expect(documentOf(verified, Verified)).toEqual({
      ok: true,
      expected: DOCUMENTS,
      found: DOCUMENTS,
      duplicate: 0,
      missing: 0,
    });
  };

  it("goes on after kill -9, once the dead holder's lease is over, with nothing twice and nothing lost", async () => {
    const running = project.start(fill("one"), server);
    await running.says(/^fill .* [1-9]\d* chunks, /m);
    await running.kill("SIGKILL");
    const resumed = await project.emb(fill("one"), server);
    expect(documentOf(resumed, Reingested)).toMatchObject({ state: "ready", chunks: { total: DOCUMENTS, failed: 0 } });
    await expectWhole("one");
    const found = await project.emb(["search", "17: ferry527 ferry534", "--json"], server);
    expect(documentOf(found, Found).results).toHaveLength(10);
  });

  it("pauses a fill that another process is at, and goes on with it in a third", async () => {
    const base = ["--base", "paused"];
    const running = project.start([...fill("one"), ...base], server);
    await running.says(/^fill .* [1-9]\d* chunks, /m);
    const list = async (...args: string[]) =>
      documentOf(await project.emb(["runs", ...args, "--json"], server), Runs).runs;
    const [{ run_id: id } = { run_id: "" }] = await list(...base);
    expect(await list("pause", id)).toMatchObject([{ run_id: id, state: "paused" }]);
    const stopped = await running.ended;
    expect({ exit: stopped.code, code: failureOf(stopped).code }).toEqual({ exit: 1, code: "EMB_RUN_NOT_READY" });
    const [paused] = await list(...base);
    expect(paused?.state).toBe("paused");
    expect(paused?.progress.embedded).toBeGreaterThan(0);
    expect(paused?.progress.embedded).toBeLessThan(DOCUMENTS);
    expect(await list("resume", id)).toMatchObject([{ state: "ready", progress: { embedded: DOCUMENTS } }]);
  });

  it("fills one target from two processes at once, each chunk once", async () => {
    const open = { ...server, EMBEDDING_PROFILE_SWAPPABLE: "true" };
    const first = project.start(fill("two"), open);
    await first.says(/^fill /m);
    const [second, ended] = await Promise.all([project.emb(fill("two"), open), first.ended]);
    for (const each of [second, ended]) expect(documentOf(each, Reingested).state).toBe("ready");
    await expectWhole("two");
  });
});
