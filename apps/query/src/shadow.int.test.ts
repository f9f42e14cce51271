import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { loadSettings } from "@emb/config";
import { namespaceName } from "@emb/manifest";
import { createProvider } from "@emb/providers";
import type { KeptShadowRead, Store } from "@emb/store";
import { fill } from "./fill-namespace.fixture.js";
import { DIMS, startModelServer, type ModelServer } from "./model-server.fixture.js";
import { openStore } from "./open-store.js";
import { serve, type QueryService } from "./serve.js";
import { createServiceLog } from "./service-log.js";
import { openShadow } from "./shadow.js";
import { startTelemetry, type Telemetry } from "./telemetry.js";

const ENV = { ENV: "production", EMBEDDING_PROFILE_EXPERIMENT: "far" };
const QUESTION = "When does the ferry hunter2 leave for the island?";

const profileYaml = (name: string, url: string) => `  ${name}:
    provider: openai-compatible
    model_id: ${name}
    service_url: ${url}
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: []
    limits: { max_input_tokens: 512 }
`;

describe("a shadow of the query service", () => {
  let dir: string;
  let store: Store;
  let near: ModelServer;
  let far: ModelServer;
  const lines: string[] = [];
  const open: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "emb-shadow-"));
    await cp(inject("servedFolder"), dir, { recursive: true });
    [near, far] = await Promise.all([startModelServer("near"), startModelServer("far")]);
    const manifest = ["near", "far", "unfilled"].map((name) => profileYaml(name, name === "near" ? near.url : far.url));
    await writeFile(join(dir, "config/embedding_profiles.yaml"), `profiles:\n${manifest.join("")}`);
    await configure("far");
    const settings = loadSettings({ env: ENV, cwd: dir });
    store = await openStore(settings);
    for (const name of ["near", "far"]) await fillProfile(name);
  });
  afterAll(async () => {
    await store.close();
    await near.close();
    await far.close();
    await rm(dir, { recursive: true });
  });
  afterEach(async () => {
    far.release();
    for (const close of open.splice(0)) await close();
    await store.shadowReads.prune({ base: "shop", keep: 0, maxAgeMs: 0 });
    lines.length = 0;
  });

  const configure = (profile: string, shadow = "sample_pct: 100", more = "") =>
    writeFile(
      join(dir, "config/production.yaml"),
      `embedding: { profile: near }
store: { base_namespace: shop }
query: { port: 0, top_k: 2 }
rollout: { shadow: { profile: ${profile}, ${shadow} } ${more} }
`,
    );
  const fillProfile = async (name: string) => {
    const settings = loadSettings({ env: ENV, cwd: dir });
    const profile = settings.manifest.profiles.get(name)!;
    const provider = await createProvider(profile, { env: {}, dataDir: settings.paths.dataDir });
    await fill(settings, profile, provider, store);
    await provider.close();
  };
  const setup = async (env: Record<string, string>) => {
    const log = await createServiceLog({ write: (line) => void lines.push(line), env });
    const telemetry = await startTelemetry({ env, serviceName: "test", environment: "production", log });
    return { settings: loadSettings({ env, cwd: dir }), env, store, base: "shop", log, telemetry };
  };
  const start = async (env: Record<string, string> = ENV, change: Partial<Store> = {}) => {
    const given = { ...(await setup(env)), store: { ...store, ...change } };
    const { signal } = new AbortController();
    const service = await serve({ ...given, host: "127.0.0.1", port: 0, signal, note: () => {} });
    open.push(() => service.close());
    return { service, telemetry: given.telemetry };
  };
  const ask = async ({ url }: QueryService, query = QUESTION) => {
    const response = await fetch(`${url}/v1/query`, { method: "POST", body: JSON.stringify({ query }) });
    const text = await response.text();
    return { status: response.status, ids: Answer.parse(JSON.parse(text)).results.map((row) => row.document_id) };
  };
  const ready = async ({ url }: QueryService) => {
    const response = await fetch(`${url}/readyz`);
    return [response.status, await response.json()];
  };
  const turns = (service: QueryService, shadow: object) =>
    expect.poll(() => ready(service)).toEqual([200, { ok: true, shadow }]);
  const isOn = (service: QueryService) => turns(service, { profile: "far", on: true, code: null });
  const kept = async (count: number): Promise<readonly KeptShadowRead[]> => {
    await expect.poll(async () => (await reads()).length).toBe(count);
    return reads();
  };
  const reads = () => store.shadowReads.list({ base: "shop", limit: 100 });
  const events = () => lines.map((line) => Line.parse(JSON.parse(line)));
  const counted = async (telemetry: Telemetry, series: string) =>
    [...(await telemetry.metricsText()).matchAll(new RegExp(`^${series}\\{.*?"far".*?\\} (\\S+)`, "gm"))].map(
      ([, value]) => Number(value),
    );
  const byOutcome = async (telemetry: Telemetry) =>
    Object.fromEntries(
      [...(await telemetry.metricsText()).matchAll(/^embedding_shadow_reads_total\{.*outcome="(\w+)"\} (\d+)/gm)].map(
        ([, outcome, value]) => [outcome, Number(value)],
      ),
    );
  const readers = async () =>
    (await store.readers.list({ withinMs: 60_000, base: "shop" })).map(
      ({ namespace, use }) => [namespace, use] as const,
    );

  it("records what both profiles answer, and changes no answer", async () => {
    const { service, telemetry } = await start();
    await isOn(service);
    const first = await ask(service);
    expect(first).toEqual({ status: 200, ids: ["ferry.md", expect.any(String)] });
    const [read] = await kept(1);
    expect(read).toMatchObject({ query: QUESTION, k: 2, outcome: "answered" });
    expect(read!.baseline).toMatchObject({ profile: "near", namespace: "shop_near" });
    expect(read!.baseline.documents.map(({ id }) => id)).toEqual(first.ids);
    expect(read!.candidate).toMatchObject({ profile: "far", namespace: "shop_far" });
    expect(read!.candidate.documents).toHaveLength(2);
    expect(read!.candidate.documents[0]!.score).not.toBe(read!.baseline.documents[0]!.score);
    await expect.poll(() => byOutcome(telemetry)).toEqual({ recorded: 1, dropped: 0, failed: 0, timeout: 0 });
    expect(await counted(telemetry, "embedding_shadow_on")).toEqual([1]);
    expect(await counted(telemetry, "embedding_shadow_overlap_count")).toEqual([1]);
    expect(await counted(telemetry, "embedding_shadow_duration_seconds_count")).toEqual([1]);

    // whoever would retire the namespace sees it in use, until the service is gone
    expect(new Map(await readers())).toEqual(
      new Map([
        ["shop_far", "shadow"],
        ["shop_near", "serving"],
      ]),
    );
    const [permitted] = await store.audit.list({ limit: 1, action: "override.permitted" });
    expect(permitted?.detail).toMatchObject({ use: "shadow", profile: "far", permitted_by: "experiment" });
    await service.close();
    open.length = 0;
    expect(await readers()).toEqual([]);
    expect(lines.join("") + (await telemetry.metricsText())).not.toContain("hunter2");
  });

  it("that answers nothing delays and changes no answer; it is asked no more than it may, and not waited for at the end", async () => {
    await configure("far", "sample_pct: 100, max_in_flight: 1");
    const { service, telemetry } = await start();
    await isOn(service);
    const before = await ask(service);
    await kept(1);
    far.hold();
    for (let asked = 0; asked < 4; asked++) expect(await ask(service)).toEqual(before); // while the candidate has answered none
    await expect.poll(() => far.waiting()).toBe(1);
    expect(await byOutcome(telemetry)).toEqual({ recorded: 1, dropped: 3, failed: 0, timeout: 0 });
    await service.close();
    open.length = 0;
    expect(await reads()).toHaveLength(1);
    expect(await byOutcome(telemetry)).toMatchObject({ recorded: 1, dropped: 4 });
  });

  it("that takes too long is given up, which is recorded", async () => {
    await configure("far", "sample_pct: 100, timeout_ms: 1");
    const { service } = await start();
    await isOn(service);
    far.hold();
    expect((await ask(service)).ids[0]).toBe("ferry.md");
    expect((await kept(1)).map(({ outcome, candidate }) => [outcome, candidate.documents])).toEqual([["timeout", []]]);
  });

  it("that dies fails for itself alone, and its log line says the code and not the question", async () => {
    const dying = await startModelServer("far");
    const manifest = ["near", "far"].map((name) => profileYaml(name, name === "near" ? near.url : dying.url));
    await writeFile(join(dir, "config/dying.yaml"), `profiles:\n${manifest.join("")}`);
    await configure("far");
    const { service, telemetry } = await start({ ...ENV, EMBEDDING_PROFILES_PATH: join(dir, "config/dying.yaml") });
    await isOn(service);
    await dying.close();
    for (let asked = 0; asked < 3; asked++) expect((await ask(service)).ids[0]).toBe("ferry.md");
    await expect.poll(async () => (await byOutcome(telemetry))["failed"]).toBe(3);
    expect((await reads()).map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed"]);
    expect(events().filter(({ event }) => event === "shadow.failed")).toEqual([
      expect.objectContaining({ level: "warn", code: "EMB_PROVIDER_UNAVAILABLE", embedding_profile: "far" }),
    ]);
    expect(lines.join("")).not.toContain("hunter2");
  });

  it("whose records are refused says so by a code, whatever the error holds", async () => {
    await configure("far");
    const record = ({ query }: { query: string }) => Promise.reject(new Error(`no room for ${query}`));
    const { service, telemetry } = await start(ENV, { shadowReads: { ...store.shadowReads, record } });
    await isOn(service);
    expect((await ask(service)).ids[0]).toBe("ferry.md");
    await expect.poll(async () => (await byOutcome(telemetry))["failed"]).toBe(1);
    expect(events().find(({ event }) => event === "shadow.failed")).toMatchObject({ code: "EMB_INTERNAL" });
    expect(lines.join("")).not.toContain("hunter2");
  });

  it.each([
    ["the gate refuses", "far", { ENV: "production" }, "EMB_PROFILE_OVERRIDE_REFUSED", "far"],
    ["nobody knows", "fra", ENV, "EMB_PROFILE_UNKNOWN", undefined],
    ["serves already", "near", ENV, "EMB_CONFIG_INVALID", undefined],
    [
      "has no namespace",
      "unfilled",
      { ...ENV, EMBEDDING_PROFILE_EXPERIMENT: "unfilled" },
      "EMB_NAMESPACE_NOT_FOUND",
      "unfilled",
    ],
  ])("that %s is not asked: the service serves on and says so once", async (_, profile, env, code, blocked) => {
    await configure(profile);
    far.texts.length = 0;
    const { service, telemetry } = await start(env);
    await turns(service, { profile, on: false, code });
    expect((await ask(service)).ids[0]).toBe("ferry.md");
    expect(events().filter(({ event }) => event.startsWith("shadow"))).toEqual([
      expect.objectContaining({ level: "warn", event: "shadow.off", code, shadow: profile }),
    ]);
    const on = new RegExp(`^embedding_shadow_on\\{embedding_profile="${blocked}".*\\} 0$`, "m");
    if (blocked !== undefined) expect(await telemetry.metricsText()).toMatch(on);
    const gate = /^embedding_profile_guard_events_total\{embedding_profile="far".*guard="gate",outcome="blocked"\} 1$/m;
    expect(gate.test(await telemetry.metricsText())).toBe(code === "EMB_PROFILE_OVERRIDE_REFUSED");
    expect([await reads(), await readers(), far.texts]).toEqual([[], [["shop_near", "serving"]], []]);
  });

  it("that answers the witness with other vectors is not asked, for good", async () => {
    await configure("far");
    far.becomes("another");
    const { service, telemetry } = await start();
    await turns(service, { profile: "far", on: false, code: "EMB_WITNESS_FAILED" });
    far.becomes("far");
    expect((await ask(service)).ids[0]).toBe("ferry.md");
    const seal = /^embedding_profile_guard_events_total\{embedding_profile="far".*guard="seal",outcome="blocked"\} 1$/m;
    expect(await telemetry.metricsText()).toMatch(seal);
    expect(await reads()).toEqual([]);
  });

  it("begins once its namespace is filled, ends when that is retired, and keeps what was recorded in its bounds", async () => {
    await configure("unfilled", "sample_pct: 100", ", shadow_reads: { keep: 1 }");
    const given = await setup({ ...ENV, EMBEDDING_PROFILE_EXPERIMENT: "unfilled" });
    const shadow = await openShadow({ ...given, active: "near", random: () => 0, nowMs: () => 0 });
    open.push(() => shadow.close());
    await shadow.tend();
    expect(shadow.detail()).toEqual({ profile: "unfilled", on: false, code: "EMB_NAMESPACE_NOT_FOUND" });
    await shadow.tend();
    expect(events().filter(({ event }) => event === "shadow.off")).toHaveLength(1); // said once
    await fillProfile("unfilled");
    await shadow.tend();
    expect(shadow.detail()).toEqual({ profile: "unfilled", on: true, code: null });
    expect(await readers()).toEqual([["shop_unfilled", "shadow"]]);

    const answer = { profile: "near", namespace: "shop_near", documents: [], latencyMs: 1 };
    const read = { base: "shop", k: 1, baseline: answer, candidate: answer, outcome: "answered" as const };
    for (const query of ["older", "newer"]) await store.shadowReads.record({ ...read, query });
    const profile = given.settings.manifest.profiles.get("unfilled")!;
    const record = await store.namespaces.find(namespaceName({ base: "shop", profile, mode: "profile" }));
    await store.namespaces.retire(record!.id);
    await shadow.tend();
    expect((await reads()).map(({ query }) => query)).toEqual(["newer"]);
    expect(shadow.detail()).toEqual({ profile: "unfilled", on: false, code: "EMB_NAMESPACE_NOT_READY" });
    expect(await readers()).toEqual([]);
  });

  it("leaves what was recorded to its bounds when it is configured no more", async () => {
    await writeFile(
      join(dir, "config/production.yaml"),
      "embedding: { profile: near }\nstore: { base_namespace: shop }\nquery: { port: 0, top_k: 2 }\nrollout: { shadow_reads: { keep: 0 } }\n",
    );
    const answer = { profile: "near", namespace: "shop_near", documents: [], latencyMs: 1 };
    const read = {
      base: "shop",
      query: "old",
      k: 1,
      baseline: answer,
      candidate: answer,
      outcome: "answered" as const,
    };
    await store.shadowReads.record(read);
    const { service } = await start();
    await kept(0);
    expect(await ready(service)).toEqual([200, { ok: true }]);
  });
});

const Answer = z.object({ results: z.array(z.object({ document_id: z.string() })) });
const Line = z.looseObject({ level: z.string(), event: z.string() });
