import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createServerDriver } from "@emb/store/server";
import { createProject, documentOf, failureOf, profileYaml, type Project } from "./command.fixture.js";

const url = process.env["TEST_DATABASE_URL"]?.trim() ?? "";
/** A pooler in transaction mode in front of the same server. */
const poolerUrl = process.env["TEST_POOLER_URL"]?.trim() ?? "";
const skip = url === "" ? " (skipped: TEST_DATABASE_URL is not set)" : "";
const WORKER = fileURLToPath(new URL("../../ingest-worker/bin/ingest-worker.js", import.meta.url));
const DOCUMENTS = 240;
/** The other processes, as they are built. */
const SERVICES = [WORKER, fileURLToPath(new URL("../../query/bin/query.js", import.meta.url))];

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
const Followed = z.object({
  state: z.string(),
  drift_pct: z.null(),
  chunks: z.object({ total: z.int(), embedded: z.int() }),
});
const Status = z.object({
  workers: z.array(z.object({ pid: z.int(), environment: z.string(), shards: z.int() })),
});
const Found = z.object({ results: z.array(z.object({ document_id: z.string() })) });

describe.skipIf(skip !== "")(`the command on a PostgreSQL server${skip}`, { timeout: 300_000 }, () => {
  const schema = `emb_test_${randomBytes(6).toString("hex")}`;
  let project: Project;
  beforeAll(async () => {
    // a vector space for each test that counts what is embedded: equal texts of one space are copied
    const profiles = ["one", "two", "three", "four"].map((name) => profileYaml(name)).join("");
    project = await createProject({
      "config/embedding_profiles.yaml": `profiles:\n${profiles}`,
      "config/production.yaml": `embedding: { profile: one }\nstore: { schema: ${schema}, queue_schema: ${schema}_boss }\ningest: { commit_rows: 32, shard_documents: 40, lease_ms: 10000, port: 0 }\n`,
      "short.jsonl": LONG.split("\n").slice(0, 12).join("\n"),
      "long.jsonl": LONG,
    });
  });
  afterAll(async () => {
    await project.remove();
    const driver = await createServerDriver({ connectionString: url });
    await driver.exec(`DROP SCHEMA IF EXISTS ${schema} CASCADE; DROP SCHEMA IF EXISTS ${schema}_boss CASCADE`);
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

  it.skipIf(poolerUrl === "")("fills, verifies and answers through a pooler in transaction mode", async () => {
    await project.write("pooled.jsonl", LONG.split("\n").slice(0, 40).join("\n"));
    const pooled = { DATABASE_URL: poolerUrl };
    const args = ["--to", "one", "--source", "pooled.jsonl", "--base", "pooled"];
    const filled = await project.emb(["reingest", ...args, "--yes", "--json"], pooled);
    expect(documentOf(filled, Reingested)).toMatchObject({ state: "ready", chunks: { total: 40, failed: 0 } });
    const verified = await project.emb(["verify", "namespace", "--base", "pooled", "--json"], pooled);
    expect(documentOf(verified, Verified)).toMatchObject({ ok: true, expected: 40, found: 40 });
    const found = await project.emb(["search", "17: ferry527 ferry534", "--base", "pooled", "--json"], pooled);
    expect(documentOf(found, Found).results[0]).toEqual({ document_id: "d0017" });
  });

  it("of an older version is refused by a newer schema, in the command, the worker and the query service", async () => {
    const driver = await createServerDriver({ connectionString: url, maxConnections: 1 });
    await driver.exec(`INSERT INTO ${schema}.schema_version (version) VALUES (1000)`);
    try {
      const status = await project.emb(["status", "--json"], server);
      expect({ exit: status.code, code: failureOf(status).code }).toEqual({ exit: 78, code: "EMB_STORE_SCHEMA_NEWER" });
      const filled = await project.emb(fill("one"), server);
      expect({ exit: filled.code, code: failureOf(filled).code }).toEqual({ exit: 78, code: "EMB_STORE_SCHEMA_NEWER" });
      for (const service of SERVICES) {
        const { status: exit, stderr } = spawnSync(process.execPath, [service], {
          cwd: project.dir,
          encoding: "utf8",
          env: { PATH: process.env["PATH"], ENV: "production", ...server },
          timeout: 60_000,
        });
        expect({ exit, said: /EMB_[A-Z_]+/.exec(stderr)?.[0] }).toEqual({ exit: 78, said: "EMB_STORE_SCHEMA_NEWER" });
      }
    } finally {
      await driver.exec(`DELETE FROM ${schema}.schema_version WHERE version = 1000`);
      await driver.close();
    }
  });

  it("pauses a fill that another process is at, and goes on with it in a third", async () => {
    const base = ["--base", "paused"];
    const open = { ...server, EMBEDDING_PROFILE_SWAPPABLE: "true" };
    const running = project.start([...fill("three"), ...base], open);
    await running.says(/^fill .* [1-9]\d* chunks, /m);
    const list = async (...args: string[]) =>
      documentOf(await project.emb(["runs", ...args, "--json"], open), Runs).runs;
    const [{ run_id: id } = { run_id: "" }] = await list(...base);
    expect(await list("pause", id)).toMatchObject([{ run_id: id, state: "paused" }]);
    const stopped = await running.ended;
    expect({ exit: stopped.code, code: failureOf(stopped).code }).toEqual({ exit: 1, code: "EMB_RUN_NOT_READY" });
    const [paused] = await list(...base);
    expect(paused?.state).toBe("paused");
    expect(paused?.progress.embedded).toBeGreaterThan(0);
    expect(paused?.progress.embedded).toBeLessThan(DOCUMENTS);
    const half = await project.emb(["verify", "namespace", "--profile", "three", ...base, "--json"], open);
    expect({ exit: half.code, ...documentOf(half, Verified) }).toMatchObject({ exit: 1, ok: false, missing: 0 });
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

  it("leaves a fill to workers with --workers queue, says so while there is none, and follows it to its end", async () => {
    const args = ["reingest", "--to", "four", "--source", "short.jsonl", "--base", "queued", "--yes", "--json"];
    const open = { ...server, EMBEDDING_PROFILE_SWAPPABLE: "true" };
    const running = project.start([...args, "--workers", "queue"], open);
    await running.says(/no worker has shown a sign of life/);
    const { PATH = "" } = process.env;
    const env = { PATH, ENV: "production", ...server };
    const worker = spawn(process.execPath, [WORKER], { cwd: project.dir, env, stdio: "ignore" });
    const left = once(worker, "close");
    try {
      const ended = documentOf(await running.ended, Followed);
      expect(ended).toEqual({ state: "ready", drift_pct: null, chunks: { total: 12, embedded: 12 } });
      const { workers } = documentOf(await project.emb(["status", "--json"], server), Status);
      expect(workers).toEqual([{ pid: worker.pid, environment: "production", shards: 0 }]);
      const [run] = documentOf(await project.emb(["runs", "--base", "queued", "--json"], server), Runs).runs;
      expect(run).toMatchObject({ state: "ready", progress: { embedded: 12 } });
      const again = project.emb([...args, "--workers", "queue"], open);
      expect(documentOf(await again, Followed)).toEqual({
        state: "ready",
        drift_pct: null,
        chunks: { total: 12, embedded: 0 }, // as many as there are, though the worker wrote none
      });
    } finally {
      worker.kill("SIGTERM");
    }
    expect(await left).toEqual([0, null]);
    const { workers } = documentOf(await project.emb(["status", "--json"], server), Status);
    expect(workers).toEqual([]);
  });
});
