import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { z } from "zod";
import { loadSettings } from "@emb/config";
import { createEmbeddedDriver, openPostgresStore, type Store } from "@emb/store";
import { serve, type QueryService } from "./serve.js";
import { createServiceLog } from "./service-log.js";
import { startTelemetry, type Telemetry } from "./telemetry.js";

const env = { ENV: "production" };
const LOOK_MS = 30_000;

let dir: string;
let store: Store;
let byHand: (sql: string) => Promise<unknown>;
let telemetry: Telemetry;
let service: QueryService;
let nowMs = 0;
const lines: string[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "emb-query-"));
  await cp(inject("servedFolder"), dir, { recursive: true });
  const settings = loadSettings({ env, cwd: dir });
  const driver = await createEmbeddedDriver({ directory: join(settings.paths.dataDir, "postgres") });
  byHand = (sql) => driver.exec(sql);
  store = await openPostgresStore(driver);
  const log = await createServiceLog({ write: (line) => void lines.push(line), env });
  telemetry = await startTelemetry({ env, serviceName: "test", environment: "production", log });
  service = await serve({
    settings,
    env,
    store,
    base: "docs",
    host: "127.0.0.1",
    port: 0,
    signal: new AbortController().signal,
    note: () => {},
    log,
    telemetry,
    nowMs: () => nowMs,
  });
});
afterAll(async () => {
  await service.close();
  await telemetry.close();
  await store.close();
  await rm(dir, { recursive: true });
});

const ask = async () => {
  const answer = await fetch(`${service.url}/v1/query`, { method: "POST", body: JSON.stringify({ query: "bread" }) });
  return [answer.status, Answer.parse(await answer.json()).error?.code];
};
const ready = async () => {
  const answer = await fetch(`${service.url}/readyz`);
  return [answer.status, Ready.parse(await answer.json()).reason];
};
const lost = () => lines.map((line) => Line.parse(JSON.parse(line))).filter(({ event }) => event === "seal.lost");

it("answers nothing under a seal that was changed, from at most 30 seconds later on, until it is as it was", async () => {
  const change = (to: string) => byHand(`UPDATE emb.seals SET fingerprint = ${to} WHERE profile = 'one'`);
  const { fingerprint } = (await store.namespaces.find({ base: "docs", suffix: "one" }))!.seal;
  const serving = [
    [200, undefined],
    [200, undefined],
  ];
  expect([await ask(), await ready()]).toEqual(serving);
  await change("repeat('f', 64)");
  nowMs += LOOK_MS;
  expect(await ask()).toEqual([503, "EMB_SEAL_MISMATCH"]);
  const [status, reason] = await ready();
  expect(status).toBe(503);
  expect(reason).toContain(
    `EMB_SEAL_MISMATCH namespace docs_one: expected the seal of the start, fingerprint ${fingerprint}`,
  );
  expect(lost()).toMatchObject([{ level: "error", code: "EMB_SEAL_MISMATCH" }]);
  expect(await telemetry.metricsText()).toMatch(/guard="seal",outcome="blocked"\} 1\n/);

  await change(`'${fingerprint}'`);
  expect([await ask(), await ready()]).toEqual(serving);
});

it("says that its namespace is gone, and is not ready from at most 30 seconds later on", async () => {
  lines.length = 0;
  await store.namespaces.retire((await store.namespaces.find({ base: "docs", suffix: "one" }))!.id);
  expect(await ask()).toEqual([503, "EMB_NAMESPACE_NOT_FOUND"]);
  nowMs += LOOK_MS;
  expect(await ready()).toEqual([
    503,
    "EMB_NAMESPACE_NOT_FOUND namespace docs_one: expected the one that was opened at the start, seen none in its place",
  ]);
  expect(await ask()).toEqual([503, "EMB_NAMESPACE_NOT_FOUND"]);
  expect(lost()).toMatchObject([{ code: "EMB_NAMESPACE_NOT_FOUND" }]);
});

const Answer = z.object({ error: z.object({ code: z.string() }).optional() });
const Ready = z.object({ reason: z.string().optional() });
const Line = z.object({ level: z.string(), event: z.string(), code: z.string().optional() });
