import { spawnSync } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { startCollector, type Collector } from "./collector.fixture.js";
import { readRequest } from "./otlp-messages.test-data.js";
import { startQueryProcess } from "./query-process.fixture.js";

const NINE = {
  embedding_profile: "one",
  embedding_provider: "sentence-transformers",
  embedding_model: "sentence-transformers/all-MiniLM-L6-v2",
  embedding_dims: 384,
  embedding_namespace: "docs_one",
  embedding_namespace_mode: "profile",
  embedding_strict_mode: true,
  embedding_profile_swappable: false,
  embedding_profile_experiment: "",
};
const QUESTION = "when does hunter2 leave for the island?";
const SECRETS = {
  JINA_API_KEY: "jina_4f1c9d77",
  QDRANT_API_KEY: "qdrant-8a7b",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20otlp-pass",
};

describe("telemetry of the query process", () => {
  let dir: string;
  const collectors: Collector[] = [];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "emb-query-"));
    await cp(inject("servedFolder"), dir, { recursive: true });
  });
  afterEach(async () => {
    for (const collector of collectors.splice(0)) collector.stop();
    await rm(dir, { recursive: true });
  });
  const collect = async (mode?: "answer" | "hang") => {
    const collector = await startCollector(mode);
    collectors.push(collector);
    return collector;
  };
  const ask = (url: string) =>
    fetch(`${url}/v1/query`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer client-token-1" },
      body: JSON.stringify({ query: QUESTION }),
    });
  const linesOf = (stderr: string) =>
    stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => z.looseObject({ event: z.string() }).parse(JSON.parse(line)));

  it.each(["http/protobuf", "http/json"])(
    "reaches a collector by %s: metrics and spans with the labels; no secret and no text is in them or in the log",
    async (protocol) => {
      const collector = await collect();
      const service = startQueryProcess(dir, {
        ...SECRETS,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        ...(protocol === "http/json" && { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }), // protobuf is the default
        OTEL_RESOURCE_ATTRIBUTES: "team=search",
      });
      expect((await ask(await service.url)).status).toBe(200);
      service.child.kill("SIGTERM");
      const { code, stderr } = await service.ended;
      expect(code).toBe(0);

      const received = collector.received();
      expect(new Set(received.map(({ path }) => path))).toEqual(new Set(["/v1/metrics", "/v1/traces"]));
      expect(new Set(received.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer otlp-pass"]));
      const sent = received.map((request) => ({ path: request.path, ...readRequest(request) }));
      for (const { resource, signals } of sent) {
        expect(resource).toMatchObject({
          "service.name": "emb-query",
          "deployment.environment.name": "production",
          team: "search",
        });
        for (const { attributes } of signals) expect(attributes).toMatchObject(NINE);
      }
      const namesAt = (at: string) =>
        new Set(sent.filter(({ path }) => path === at).flatMap(({ signals }) => signals.map(({ name }) => name)));
      expect(namesAt("/v1/metrics")).toEqual(
        new Set([
          "embedding_namespace_changes_queued",
          "embedding_namespace_changes_oldest_age_seconds",
          "embedding_namespace_changes_set_aside",
          "embedding_provider_info",
          "embedding_provider_calls_total",
          "embedding_provider_texts_total",
          "embedding_provider_tokens_total",
          "embedding_profile_guard_events_total",
          "gen_ai.client.operation.duration",
          "gen_ai.client.token.usage",
          "db.client.operation.duration",
        ]),
      );
      expect(namesAt("/v1/traces")).toEqual(
        new Set(["embeddings sentence-transformers/all-MiniLM-L6-v2", "search docs_one", "POST /v1/query"]),
      );
      const seen = stderr + received.map(({ body }) => body.toString("latin1")).join("");
      for (const secret of ["jina_4f1c9d77", "qdrant-8a7b", "otlp-pass", "client-token-1", "hunter2", "sheep"])
        expect(seen, secret).not.toContain(secret);
    },
  );

  it("says once that nobody listens at the endpoint, and serves on", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = z.object({ port: z.number() }).parse(taken.address());
    taken.close();
    const service = startQueryProcess(dir, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: "50",
      OTEL_METRIC_EXPORT_INTERVAL: "100",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    });
    const url = await service.url;
    const unreachable = () => linesOf(service.stderr()).filter(({ event }) => event === "telemetry.unreachable");
    while (unreachable().length === 0) await ask(url);
    for (let asked = 0; asked < 20; asked++) expect((await ask(url)).status).toBe(200);
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
    expect(unreachable()).toEqual([
      {
        level: "warn",
        time: expect.any(String),
        ...NINE,
        event: "telemetry.unreachable",
        message:
          "metrics and traces do not reach the OTLP endpoint (ECONNREFUSED); emb goes on without, and says so once",
      },
    ]);
  });

  it("does not wait for a collector that hangs when it is told to stop", async () => {
    const collector = await collect("hang");
    const service = startQueryProcess(dir, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: "600000", // the test's own limit is two minutes
    });
    expect((await ask(await service.url)).status).toBe(200);
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
    expect(collector.received().length).toBeGreaterThan(0);
  });

  it("is off with OTEL_SDK_DISABLED", async () => {
    const service = startQueryProcess(dir, {
      OTEL_SDK_DISABLED: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    });
    const url = await service.url;
    expect((await ask(url)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toBe("# telemetry is off: OTEL_SDK_DISABLED\n");
    service.child.kill("SIGTERM");
    expect(linesOf((await service.ended).stderr).map(({ event }) => event)).toEqual(["listening"]);
  });

  const promtool = spawnSync("promtool", ["--version"]).status === 0;
  if (!promtool)
    process.stderr.write("skipped: promtool check metrics, because promtool is not on PATH (apt: prometheus)\n");
  it.skipIf(!promtool)("passes promtool check metrics", async () => {
    const service = startQueryProcess(dir);
    const url = await service.url;
    await ask(url);
    const input = await (await fetch(`${url}/metrics`)).text();
    service.child.kill("SIGTERM");
    await service.ended;
    expect(input).toContain("gen_ai_client_operation_duration_bucket");
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
