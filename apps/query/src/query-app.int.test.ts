import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { loadSettings } from "@emb/config";
import { EmbError, isEmbError, PROBE_TEXTS } from "@emb/manifest";
import type { Store } from "@emb/store";
import { openStore } from "./open-store.js";
import { createQueryApp } from "./query-app.js";
import { serve, type QueryService } from "./serve.js";
import { createServiceLog } from "./service-log.js";
import { startTelemetry } from "./telemetry.js";

const env = { ENV: "production" };

describe("the query service over HTTP", () => {
  let dir: string;
  let store: Store;
  let service: QueryService;
  const notes: string[] = [];
  const lines: string[] = [];
  const start = async (change: Partial<Parameters<typeof serve>[0]> = {}) => {
    const settings = loadSettings({ env, cwd: dir });
    const { signal } = new AbortController();
    const note = (text: string) => void notes.push(text);
    const log = await createServiceLog({ write: (line) => void lines.push(line), env });
    const telemetry = await startTelemetry({ env, serviceName: "test", environment: "production", log });
    return serve({
      settings,
      env,
      store,
      base: "docs",
      host: "127.0.0.1",
      port: 0,
      signal,
      note,
      log,
      telemetry,
      ...change,
    });
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "emb-query-"));
    await cp(inject("servedFolder"), dir, { recursive: true });
    store = await openStore(loadSettings({ env, cwd: dir }));
    service = await start();
  });
  afterAll(async () => {
    await service.close();
    await store.close();
    await rm(dir, { recursive: true });
  });

  const post = (body: string | Uint8Array<ArrayBuffer>, path = "/v1/query") =>
    fetch(`${service.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const ask = (value: unknown) => post(JSON.stringify(value));

  it("answers a question with text and provenance, best first", async () => {
    const response = await ask({ query: "When does the boat to the island go?", top_k: 3 });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    const { profile, namespace, seal, results } = Answer.parse(await response.json());
    expect({ profile, namespace, seal }).toEqual({ profile: "one", namespace: "docs_one", seal: "equal" });
    expect(results).toHaveLength(3);
    expect(results[0]).toMatchObject({
      document_id: "ferry.md",
      chunk_id: "ferry.md#0",
      text: "The ferry to the island leaves at noon and carries sheep.",
      provenance: { profile: "one", namespace: "docs_one", content_hash: Buffer.alloc(32, "ferry.md").toString("hex") },
    });
    const scores = results.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it("takes query.top_k results when none are asked for", async () => {
    expect(Answer.parse(await (await ask({ query: "bread" })).json()).results).toHaveLength(2);
  });

  it.each([
    ["an unknown key", JSON.stringify({ query: "bread", topK: 3 }), 400, "EMB_USAGE"],
    ["no query", JSON.stringify({ top_k: 3 }), 400, "EMB_USAGE"],
    ["a query that is no text", JSON.stringify({ query: 7 }), 400, "EMB_USAGE"],
    ["no JSON", "query=bread", 400, "EMB_USAGE"],
    ["no body", "", 400, "EMB_USAGE"],
    ["top_k 0", JSON.stringify({ query: "bread", top_k: 0 }), 400, "EMB_USAGE"],
    ["top_k over query.max_top_k", JSON.stringify({ query: "bread", top_k: 6 }), 400, "EMB_USAGE"],
    ["a top_k with a fraction", JSON.stringify({ query: "bread", top_k: 1.5 }), 400, "EMB_USAGE"],
    ["a blank query", JSON.stringify({ query: " \n\t" }), 400, "EMB_TEXT_EMPTY"],
    [
      "a query longer than the model takes",
      JSON.stringify({ query: "hunter2 ".repeat(300) }),
      413,
      "EMB_TEXT_TOO_LONG",
    ],
    ["a body over 256 KiB", JSON.stringify({ query: "hunter2 ".repeat(40_000) }), 413, "EMB_TEXT_TOO_LONG"],
  ])("refuses %s with a code and one action, and repeats no text", async (_, body, status, code) => {
    const response = await post(body);
    const text = await response.text();
    expect(response.status).toBe(status);
    const { error } = Refusal.parse(JSON.parse(text));
    expect(error.code).toBe(code);
    expect(error.hint).not.toBe("");
    expect(text).not.toContain("hunter2");
  });

  it("takes the largest top_k that the configuration allows", async () => {
    expect((await ask({ query: "bread", top_k: 5 })).status).toBe(200);
  });

  it("says that it is alive and ready, and what it serves", async () => {
    for (const path of ["/healthz", "/readyz"]) {
      const response = await fetch(`${service.url}${path}`);
      expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
    }
    const profile = z.record(z.string(), z.unknown()).parse(await (await fetch(`${service.url}/v1/profile`)).json());
    expect(profile).toMatchObject({
      embedding_profile: "one",
      embedding_provider: "sentence-transformers",
      embedding_dims: 384,
      embedding_namespace: "docs_one",
      embedding_namespace_mode: "profile",
      embedding_strict_mode: true,
      embedding_profile_swappable: false,
      environment: "production",
      baseline: "one",
      seal: "equal",
    });
    expect(Number(profile["witness_cosine"])).toBeGreaterThanOrEqual(0.999);
  });

  it("answers other paths and methods with 404 and what there is", async () => {
    for (const response of [await fetch(service.url), await fetch(`${service.url}/v1/query`)]) {
      expect(response.status).toBe(404);
      expect(Refusal.parse(await response.json()).error.hint).toContain("POST /v1/query");
    }
  });

  it("shows the banner before it opens its port", () => {
    expect(notes[0]?.split("\n")).toEqual(
      expect.arrayContaining([
        "Environment: production",
        "Active Profile: one",
        "Profile Swappable: False",
        "Profile Experiment:",
      ]),
    );
  });

  it("shows its metrics, each with the labels of the rollout", async () => {
    await ask({ query: "bread" });
    const response = await fetch(`${service.url}/metrics`);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    const samples = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const nine =
      'embedding_profile="one",embedding_provider="sentence-transformers",embedding_model="sentence-transformers/all-MiniLM-L6-v2",embedding_dims="384",' +
      'embedding_namespace="docs_one",embedding_namespace_mode="profile",embedding_strict_mode="true",embedding_profile_swappable="false",embedding_profile_experiment=""';
    const [target, ...measured] = samples;
    expect(target).toMatch(/^target_info\{service_name="test",/);
    expect(measured.filter((sample) => !sample.includes(`{${nine}`))).toEqual([]);
    const value = (series: string) =>
      Number(
        measured
          .find((sample) => sample.startsWith(series.replace("{", `{${nine},`)))
          ?.split(" ")
          .at(-1),
      );
    expect(value('embedding_provider_info{environment="production"}')).toBe(1);
    expect(value('embedding_profile_guard_events_total{guard="gate",outcome="clean"}')).toBe(1);
    expect(value('embedding_profile_guard_events_total{guard="seal",outcome="clean"}')).toBe(1);
    expect(value('embedding_profile_guard_events_total{guard="seal",outcome="warned"}')).toBe(0);
    const answers = value('db_client_operation_duration_count{db_system_name="postgresql",db_operation_name="search"}');
    expect(answers).toBeGreaterThan(0);
    const texts = value('embedding_provider_texts_total{operation="dense",side="query",outcome="ok"}');
    expect(texts).toBe(answers + PROBE_TEXTS.query.length); // the witness was checked at the start
  });

  it("writes one line when it listens, with the same labels", () => {
    expect(lines.map((line): unknown => JSON.parse(line))[0]).toMatchObject({
      level: "info",
      event: "listening",
      url: service.url,
      namespace: "docs_one",
      embedding_profile: "one",
      embedding_dims: 384,
      embedding_namespace_mode: "profile",
      embedding_strict_mode: true,
      embedding_profile_swappable: false,
      embedding_profile_experiment: "",
    });
  });

  it("under another seal: does not open, and counts it blocked; with strict mode off warns, and counts each answer", async () => {
    const manifest = join(dir, "config/embedding_profiles.yaml");
    const before = await readFile(manifest, "utf8");
    await writeFile(manifest, before.replace("version: one", "version: another"));
    const strict = loadSettings({ env, cwd: dir });
    await writeFile(manifest, before);
    const log = await createServiceLog({ write: (line) => void lines.push(line), env });
    const telemetry = await startTelemetry({ env, serviceName: "test", environment: "production", log });
    const seal = async () =>
      [...(await telemetry.metricsText()).matchAll(/strict_mode="(\w+)".*guard="seal",outcome="(\w+)"\} (\d+)/g)].map(
        ([, ...values]) => values.join(" "),
      );

    await expect(start({ settings: strict, telemetry })).rejects.toMatchObject({ code: "EMB_SEAL_MISMATCH" });
    expect(await seal()).toEqual(["true blocked 1", "true warned 0", "true clean 0"]);
    lines.length = 0;
    const loose = await start({ settings: { ...strict, strictMode: false }, telemetry, log });
    const query = { method: "POST", body: JSON.stringify({ query: "bread" }) };
    for (const asked of [1, 2]) {
      const answer = Answer.parse(await (await fetch(`${loose.url}/v1/query`, query)).json());
      expect([asked, answer.seal]).toEqual([asked, "mismatched"]);
    }
    expect((await seal()).slice(3)).toEqual(["false blocked 0", "false warned 2", "false clean 0"]);
    await loose.close();
    expect(lines.map((line): unknown => JSON.parse(line))[0]).toMatchObject({
      level: "warn",
      event: "seal.mismatched",
      code: "EMB_SEAL_MISMATCH",
      embedding_strict_mode: false,
    });
  });

  it("opens no port when the start cannot be recorded", async () => {
    const report = () => Promise.reject(new EmbError("EMB_STORE_UNAVAILABLE", "gone", { hint: "-" }));
    const { port } = new URL(service.url);
    const failing = start({ store: { ...store, readers: { ...store.readers, report } } });
    await expect(failing).rejects.toMatchObject({ code: "EMB_STORE_UNAVAILABLE" });
    await expect(start({ port: Number(port) })).rejects.toSatisfy((error) => isEmbError(error, "EMB_USAGE"));
  });

  const openFailing = async (error: Error, failures: string[] = []) => {
    const record = (await store.namespaces.list("docs"))[0]!;
    const reader = await store.namespaces.openReader(record, record.seal, { strict: true });
    const app = createQueryApp({
      search: {
        reader,
        witnessCosine: null,
        mismatchedAnswers: () => 0,
        async search() {
          throw error;
        },
      },
      topK: 1,
      maxTopK: 1,
      timeoutMs: 1000,
      profile: () => ({}),
      metrics: async () => "",
      serveRequest: async (_request, work) => void (await work()),
      onFailure: ({ message }) => void failures.push(message),
      notReady: () => "stopping",
    });
    const response = await app.request("/v1/query", { method: "POST", body: JSON.stringify({ query: "x" }) });
    return { app, status: response.status, error: Refusal.parse(await response.json()).error };
  };

  it("tells its log of what the client only sees as an internal error", async () => {
    const failures: string[] = [];
    const { app, status, error } = await openFailing(new Error("relation does not exist"), failures);
    expect(status).toBe(500);
    expect(error).toMatchObject({ code: "EMB_INTERNAL", message: "the service failed; its log says more" });
    expect(failures).toEqual(["relation does not exist"]);
    const ready = await app.request("/readyz");
    expect([ready.status, await ready.json()]).toEqual([503, { ok: false, reason: "stopping" }]);
  });

  it.each([
    [{ index: 0, status: 413 }, 413, "EMB_TEXT_TOO_LONG", false],
    [{ index: 0, status: 400, reason: "context_length_exceeded" }, 413, "EMB_TEXT_TOO_LONG", false],
    [{ index: 0, status: 400 }, 422, "EMB_PROVIDER_REJECTED", true],
    [{ index: 0, status: 422, reason: "invalid_input" }, 422, "EMB_PROVIDER_REJECTED", true],
    [{ status: 413 }, 500, "EMB_INTERNAL", true],
    [{ status: 409 }, 500, "EMB_INTERNAL", true],
  ])(
    "tells a query that the model's service refuses from a service that fails: %j",
    async (context, status, code, told) => {
      const refused = new EmbError("EMB_PROVIDER_REJECTED", "at model.internal", { hint: "-", context });
      const failures: string[] = [];
      const answer = await openFailing(refused, failures);
      expect(answer).toMatchObject({ status, error: { code } });
      expect(JSON.stringify(answer.error)).not.toContain("model.internal");
      expect(failures).toEqual(told ? ["at model.internal"] : []);
    },
  );

  it.each(["EMB_NAMESPACE_NOT_FOUND", "EMB_SEAL_MISMATCH"] as const)("answers 503 and the code to %s", async (code) => {
    const lost = new EmbError(code, "what was seen", { hint: "what to do" });
    expect(await openFailing(lost)).toMatchObject({
      status: 503,
      error: { code, message: "what was seen", hint: "what to do" },
    });
  });
});

const Answer = z.object({
  profile: z.string(),
  namespace: z.string(),
  seal: z.string(),
  results: z.array(
    z.object({
      document_id: z.string(),
      chunk_id: z.string(),
      score: z.number(),
      text: z.string(),
      provenance: z.record(z.string(), z.unknown()),
    }),
  ),
});
const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) });
