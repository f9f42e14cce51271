import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabaseGate } from "./database-gate.fixture.js";
import { startEmbeddingService, type EmbeddingServiceFixture } from "./embedding-service.fixture.js";
import { createWorkerProject, SERVER, type WorkerProject } from "./worker-project.fixture.js";

const skip = SERVER === "" ? " (skipped: TEST_DATABASE_URL is not set)" : "";
const DOCUMENTS = 96;
const COMMIT_ROWS = 4;

const until = async (check: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await check())) await new Promise((resolve) => void setTimeout(resolve, 30));
};
const urlOf = ({ url }: Readonly<Record<string, unknown>>) => String(url);
const ready = async (url: string) => {
  const response = await fetch(`${url}/readyz`);
  return [response.status, await response.json()];
};

describe.skipIf(skip !== "")(`worker processes on a PostgreSQL server${skip}`, { timeout: 60_000 }, () => {
  let service: EmbeddingServiceFixture;
  let project: WorkerProject;
  beforeAll(async () => {
    service = await startEmbeddingService({ delayMs: 5 });
    // a lease that outlives the test: a shard that goes on was given back, not waited for
    project = await createWorkerProject({
      serviceUrl: service.url,
      ingest: ", lease_ms: 600000, stop_ms: 2000, concurrency: 2",
    });
  });
  afterAll(async () => {
    await project.remove();
    await service.close();
  });
  const embeddedOnce = (runId: string) => {
    const texts = service.requests.flatMap((request) => request.texts).filter((text) => text.startsWith("Ferry"));
    return { runId, texts: texts.length, different: new Set(texts).size };
  };

  it("share a run, each chunk once; one that is stopped within its shards commits what is under way, and another goes on at once", async () => {
    const runId = await project.beginRun(DOCUMENTS);
    const held = service.hold("Ferry");
    const first = project.startWorker();
    await held;
    const shards = async () => (await project.store.workers.list({ withinMs: 60_000 })).map((worker) => worker.shards);
    await until(async () => (await shards())[0] === 2);
    const health = urlOf(await first.says("listening"));
    expect(await ready(health)).toEqual([200, { ok: true }]);
    first.kill("SIGTERM");
    await first.says("stopping");
    expect(await ready(health)).toEqual([503, { ok: false, reason: "stopping" }]);
    service.release();
    expect((await first.ended).code).toBe(0);
    expect(await shards()).toEqual([]);
    // one batch of each shard was under way
    expect((await project.store.runs.get(runId))?.counters.documents).toBe(2 * COMMIT_ROWS);

    const [second, third] = [project.startWorker(), project.startWorker()];
    await until(async () => (await project.store.runs.state(runId)) === "ready");
    expect(embeddedOnce(runId)).toEqual({ runId, texts: DOCUMENTS, different: DOCUMENTS });
    expect((await project.store.runs.get(runId))?.counters).toMatchObject({
      documents: DOCUMENTS,
      embedded: DOCUMENTS,
    });
    for (const worker of [second, third]) worker.kill("SIGINT");
    expect(await Promise.all([second, third].map(async ({ ended }) => (await ended).code))).toEqual([0, 0]);
  });

  it("says that it is not ready while the database is away, and goes on by itself when it is back", async () => {
    const gate = await createDatabaseGate(SERVER);
    const runId = await project.beginRun(DOCUMENTS + 1);
    const held = service.hold("Ferry");
    const worker = project.startWorker({ DATABASE_URL: gate.url });
    await held;
    const health = urlOf(await worker.says("listening"));
    gate.shut();
    service.release();
    await until(async () => (await ready(health))[0] === 503);
    expect(await ready(health)).toEqual([503, { ok: false, reason: "the database does not answer" }]);
    expect((await fetch(`${health}/healthz`)).status).toBe(200);
    await worker.says("run.stopped", { run_id: runId, code: "EMB_STORE_UNAVAILABLE", failures: 1 });
    gate.open();
    // the shards that it could not give back are its own until their leases are over
    const shards = `${project.settings.store.schema}.shards`;
    await project.query(`UPDATE ${shards} SET lease_until = now() WHERE run_id = '${runId}' AND NOT done`);
    await worker.says("run.ready", { run_id: runId });
    await until(async () => (await ready(health))[0] === 200);
    const metrics = await (await fetch(`${health}/metrics`)).text();
    expect(metrics).toMatch(/^embedding_provider_texts_total\{.*side="document",outcome="ok"\} [1-9]\d*$/m);
    const promtool = spawnSync("promtool", ["check", "metrics"], { input: metrics, encoding: "utf8" });
    if (promtool.error === undefined) expect(promtool.stdout + promtool.stderr).toBe("");
    worker.kill("SIGTERM");
    await worker.ended;
    await gate.close();
  });

  it("says without an alarm that somebody paused a run which it was filling", async () => {
    const runId = await project.beginRun(DOCUMENTS + 2);
    const held = service.hold("Ferry");
    const worker = project.startWorker();
    await held;
    await project.store.runs.transition(runId, { from: ["fill"], to: "paused", reason: "by hand" });
    service.release();
    await worker.says("run.stopped", { run_id: runId, code: "EMB_RUN_NOT_READY", level: "info" });
    worker.kill("SIGTERM");
    await worker.ended;
    await project.store.runs.transition(runId, { from: ["paused"], to: "failed", reason: "by hand" });
  });

  it("ends within its limit when what is under way does not, and gives the shard back all the same", async () => {
    const runId = await project.beginRun(DOCUMENTS + 3);
    const held = service.hold("Ferry");
    const worker = project.startWorker();
    await held;
    worker.kill("SIGTERM");
    await worker.says("stopping", { stop_ms: 2000 });
    expect((await worker.ended).code).toBe(0);
    expect(worker.lines().map(({ event }) => event)).toContain("stop.cut");
    service.release();
    const { shards, counters } = (await project.store.runs.get(runId))!;
    expect(counters.documents).toBe(0);
    const free = async () => project.store.runs.claimShard(runId, { owner: "test", leaseMs: 60_000 });
    for (let left = shards.total - shards.done; left > 0; left--) expect(await free()).not.toBeNull();
  });

  it("is refused by the gate with 78, before a port or a database is opened", async () => {
    const away = { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
    const refused = await project.startWorker({ ...away, EMBEDDINGS_PROFILE: "farther" }).ended;
    expect(refused.code).toBe(78);
    const lines = refused.stderr.trim().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ event: "gate.refused", code: "EMB_PROFILE_UNKNOWN" }),
    ]);
    const permitted = await project.startWorker(away).ended;
    expect(permitted.code).toBe(75);
    expect(permitted.stderr).toContain('"code":"EMB_STORE_UNAVAILABLE"');
  });
});

describe.skipIf(skip !== "")(`two worker processes under one limit${skip}`, { timeout: 60_000 }, () => {
  it("never send more than the limit, together", async () => {
    const service = await startEmbeddingService();
    const perMinute = 300;
    const project = await createWorkerProject({
      serviceUrl: service.url,
      limits: `, requests_per_minute: ${perMinute}`,
      ingest: ", concurrency: 2",
    });
    try {
      const runId = await project.beginRun(96);
      const workers = [project.startWorker(), project.startWorker()];
      await until(async () => (await project.store.runs.state(runId)) === "ready");
      const counts = workers.map((worker) => worker.lines().filter(({ event }) => event === "run.taken").length);
      expect(counts).toEqual([1, 1]);
      const sentAt = service.requests.filter(({ texts }) => texts[0]!.startsWith("Ferry")).map(({ atMs }) => atMs);
      expect(sentAt).toHaveLength(96 / COMMIT_ROWS);
      const most = Math.max(...sentAt.map((at) => sentAt.filter((other) => other >= at && other < at + 2_000).length));
      expect(most).toBeLessThanOrEqual(Math.ceil((perMinute / 60) * 2) + 1); // a request may be under way for longer than the next
      expect((sentAt.at(-1)! - sentAt[0]!) / (sentAt.length - 1)).toBeGreaterThan(60_000 / perMinute - 5);
    } finally {
      await project.remove();
      await service.close();
    }
  });
});
