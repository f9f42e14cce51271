import { readFileSync } from "node:fs";
import { createProcessOutput, createWriter } from "./process-output.js";
import { createProgram } from "./program.js";

const { version }: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    if (interrupt.signal.aborted) process.exit(130); // asked twice: now
    process.stderr.write("\nstopping; once more stops at once\n");
    interrupt.abort(new Error(`stopped by ${name}`));
  });
}

const run = createProgram({
  version,
  createOutput: (json) => createProcessOutput(process, process.env, json),
  createSession: (output) => ({
    env: process.env,
    cwd: process.cwd(),
    output,
    signal: interrupt.signal,
    nowMs: () => performance.now(),
  }),
  writeOut: createWriter(process, "stdout"),
  writeErr: createWriter(process, "stderr"),
});

// Not awaited at the top level: the bundle is CommonJS.
void (async () => {
  process.exitCode = await run(process.argv.slice(2));
})();
