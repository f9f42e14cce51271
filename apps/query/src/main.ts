import { loadSettings } from "@emb/config";
import { namespaceName } from "@emb/manifest";
import { telemetryLabels } from "@emb/providers";
import { passGate } from "./deployment.js";
import { withStore } from "./open-store.js";
import { serve } from "./serve.js";
import { createServiceLog } from "./service-log.js";
import { answerArguments, createNote, reportServiceError } from "./service-main.js";
import { startTelemetry } from "./telemetry.js";
import { telemetryContext } from "./telemetry-context.js";

/** Everything is closed by then; what still holds the process is a collector that does not answer. */
const LINGER_MS = 1000;

const answer = answerArguments("emb-query", process.argv.slice(2));
if (answer !== null) {
  process.stderr.write(`${answer.text}\n`);
  // oxlint-disable-next-line unicorn/no-process-exit -- an app's main, before anything is open
  process.exit(answer.exitCode);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
const { env } = process;
const note = createNote(process.stderr);
let log = await createServiceLog({ write: note, env });

try {
  const settings = loadSettings({ env, cwd: process.cwd() });
  for (const { code, message } of settings.warnings) log.warn({ event: "settings", code, message });
  const { profile } = passGate(settings, env, undefined); // before a database, a provider or a port is opened
  const { environment, namespaceMode: mode, query } = settings;
  const base = settings.store.baseNamespace;
  log = log.with(
    telemetryLabels(telemetryContext(settings, profile, namespaceName({ base, profile, mode }).namespace)),
  );
  const telemetry = await startTelemetry({ env, serviceName: "emb-query", environment, log });
  try {
    await withStore(settings, async (store) => {
      const { host, port } = query;
      const service = await serve({
        settings,
        env,
        store,
        base,
        host,
        port,
        signal: stop.signal,
        note,
        log,
        telemetry,
      });
      if (!stop.signal.aborted)
        await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
      await service.close();
    });
  } finally {
    await telemetry.close();
  }
} catch (error) {
  process.exitCode = reportServiceError(error, { log, signal: stop.signal });
}
// oxlint-disable-next-line unicorn/no-process-exit -- an app's main, after everything was closed
setTimeout(() => process.exit(), LINGER_MS).unref();
