import { loadSettings } from "@emb/config";
import { namespaceName } from "@emb/manifest";
import { renderBanner, telemetryLabels } from "@emb/providers";
import {
  bannerOf,
  createNote,
  createServiceLog,
  passGate,
  reportServiceError,
  startTelemetry,
  telemetryContext,
  withStore,
} from "@emb/query";
import { work } from "./worker.js";

/** Everything is closed by then; what still holds the process is a collector that does not answer. */
const LINGER_MS = 1000;

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
const { env } = process;
const { signal } = stop;
const note = createNote(process.stderr);
let log = await createServiceLog({ write: note, env });

try {
  const settings = loadSettings({ env, cwd: process.cwd() });
  const { profile, decision } = passGate(settings, env, undefined);
  const { environment, namespaceMode: mode } = settings;
  const { namespace } = namespaceName({ base: settings.store.baseNamespace, profile, mode });
  const context = telemetryContext(settings, profile, namespace);
  log = log.with(telemetryLabels(context));
  note(renderBanner(bannerOf(settings, profile, namespace, decision)));
  const telemetry = await startTelemetry({ env, serviceName: "emb-ingest-worker", environment, log });
  const active = telemetry.profile(context); // says what this process would fill, and under which rule, while there is no run
  active.guard("gate", "clean");
  try {
    await withStore(settings, async (store) => {
      log.info({ event: "working", environment });
      await work({ settings, env, store, signal, nowMs: () => performance.now(), log, telemetry });
    });
  } finally {
    await telemetry.close(); // with the profile still held, which is how it ends
  }
} catch (error) {
  process.exitCode = reportServiceError(error, { log, signal });
}
// oxlint-disable-next-line unicorn/no-process-exit -- an app's main, after everything was closed
setTimeout(() => process.exit(), LINGER_MS).unref();
