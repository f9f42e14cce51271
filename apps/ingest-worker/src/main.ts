import { loadSettings } from "@emb/config";
import { passGate, reportServiceError, withStore } from "@emb/query";
import { work } from "./worker.js";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
const writeErr = (text: string) => void process.stderr.write(`${text}\n`);

try {
  const { env } = process;
  const settings = loadSettings({ env, cwd: process.cwd() });
  passGate(settings, env, undefined);
  await withStore(settings, async (store) => {
    writeErr(JSON.stringify({ level: "info", event: "working", environment: settings.environment }));
    await work({ settings, env, store, signal: stop.signal, nowMs: () => performance.now(), note: writeErr });
  });
} catch (error) {
  process.exitCode = reportServiceError(error, { writeErr, signal: stop.signal });
}
