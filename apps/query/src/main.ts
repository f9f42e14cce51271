import { loadSettings } from "@emb/config";
import { withStore } from "./open-store.js";
import { serve } from "./serve.js";
import { reportServiceError } from "./service-main.js";
import { passGate } from "./deployment.js";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
const writeErr = (text: string) => void process.stderr.write(`${text}\n`);

try {
  const { env } = process;
  const settings = loadSettings({ env, cwd: process.cwd() });
  for (const { code, message } of settings.warnings)
    writeErr(JSON.stringify({ level: "warn", event: "settings", code, message }));
  passGate(settings, env, undefined); // before a database, a provider or a port is opened
  await withStore(settings, async (store) => {
    const { host, port } = settings.query;
    const base = settings.store.baseNamespace;
    const service = await serve({ settings, env, store, base, host, port, signal: stop.signal, note: writeErr });
    writeErr(JSON.stringify({ level: "info", event: "listening", url: service.url, namespace: service.namespace }));
    if (!stop.signal.aborted)
      await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
    await service.close();
  });
} catch (error) {
  process.exitCode = reportServiceError(error, { writeErr, signal: stop.signal });
}
