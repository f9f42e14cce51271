import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Hono } from "hono";
import { loadSettings } from "@emb/config";
import { namespaceName } from "@emb/manifest";
import { renderBanner, telemetryLabels } from "@emb/providers";
import {
  addHealthRoutes,
  answerArguments,
  bannerOf,
  createNote,
  createServiceLog,
  openPort,
  passGate,
  reportServiceError,
  startTelemetry,
  telemetryContext,
  withStore,
} from "@emb/query";
import { boundHeapGrowth } from "./heap-growth.js";
import { giveSignsOfLife } from "./sign-of-life.js";
import { createStopOrder } from "./stop-order.js";
import { work } from "./worker.js";

/** Everything is closed by then; what still holds the process is a collector or a database that does not answer. */
const LINGER_MS = 1000;

const answer = answerArguments("emb-ingest-worker", process.argv.slice(2));
if (answer !== null) {
  process.stderr.write(`${answer.text}\n`);
  // oxlint-disable-next-line unicorn/no-process-exit -- an app's main, before anything is open
  process.exit(answer.exitCode);
}

boundHeapGrowth();
const order = createStopOrder(process);
const { stopping, signal } = order;
const { env } = process;
const note = createNote(process.stderr);
let log = await createServiceLog({ write: note, env });
// oxlint-disable-next-line unicorn/no-process-exit -- an app's main, when its time is over
signal.addEventListener("abort", () => setTimeout(() => process.exit(), LINGER_MS), { once: true });

try {
  const settings = loadSettings({ env, cwd: process.cwd() });
  for (const { code, message } of settings.warnings) log.warn({ event: "settings", code, message });
  const { profile, decision } = passGate(settings, env, undefined); // before a port, a database or a provider is opened
  const { environment, namespaceMode: mode } = settings;
  const { port, stopMs, concurrency } = settings.ingest;
  order.limit(stopMs);
  const { namespace } = namespaceName({ base: settings.store.baseNamespace, profile, mode });
  const context = telemetryContext(settings, profile, namespace);
  log = log.with(telemetryLabels(context));
  note(renderBanner(bannerOf(settings, profile, namespace, decision)));
  const telemetry = await startTelemetry({ env, serviceName: "emb-ingest-worker", environment, log });
  const active = telemetry.profile(context); // says what this process would fill, and under which rule, while there is no run
  active.guard("gate", "clean");
  let notReady = (): string | null => "starting";
  const app = new Hono();
  addHealthRoutes(app, { notReady: () => notReady(), metrics: () => telemetry.metricsText() });
  const open = await openPort(app, {
    host: settings.ingest.host,
    port,
    setting: "ingest.port in the environment's file",
  });
  try {
    log.info({ event: "listening", url: open.url });
    await withStore(
      settings,
      async (store) => {
        const host = hostname();
        const { pid } = process;
        const instance = `${host}/${pid}/${randomUUID().slice(0, 8)}`;
        const alive = await giveSignsOfLife(store, { instance, environment, host, pid });
        notReady = () => (stopping.aborted ? "stopping" : alive.notReady());
        log.info({ event: "working", environment, instance, concurrency });
        const sayStopping = () => log.info({ event: "stopping", reason: reasonOf(stopping), stop_ms: stopMs });
        stopping.addEventListener("abort", sayStopping);
        try {
          const nowMs = () => performance.now();
          await work({ settings, env, store, instance, stopping, signal, nowMs, log, telemetry });
        } finally {
          await alive.leave();
        }
        if (signal.aborted) log.warn({ event: "stop.cut", message: reasonOf(signal) });
        log.info({ event: "stopped" });
      },
      (message) => log.warn({ event: "store.warning", message }),
    );
  } finally {
    await open.close();
    await telemetry.close(); // with the profile still held, which is how it ends
  }
} catch (error) {
  process.exitCode = reportServiceError(error, { log, signal: stopping });
}
// oxlint-disable-next-line unicorn/no-process-exit -- an app's main, after everything was closed
setTimeout(() => process.exit(), LINGER_MS).unref();

function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : String(reason);
}
