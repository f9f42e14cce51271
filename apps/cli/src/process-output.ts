import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";
import type { Environment } from "@emb/config";
import type { Output } from "./output.js";

/** A process's own streams: read when they are written to, since making one that is not used costs a cold start 2 to 6 ms. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** `columns` is asked for only of a terminal. */
  readonly stderr: Writable & { readonly columns?: number | undefined };
}

/** The output of a real process. NO_COLOR and a pipe switch colours off; a pipe switches redrawing off. */
export function createProcessOutput(
  streams: Streams,
  env: Environment,
  json: boolean,
  isTerminal: (fileDescriptor: number) => boolean = isatty,
): Output {
  const [stdinTty, stdoutTty, stderrTty] = [isTerminal(0), isTerminal(1), isTerminal(2)];
  const dumb = env["TERM"] === "dumb";
  const [writeOut, writeErr] = [createWriter(streams, "stdout"), createWriter(streams, "stderr")];
  return {
    json,
    interactive: stdinTty && stderrTty,
    redraw: stderrTty && !dumb,
    color: stdoutTty && stderrTty && (env["NO_COLOR"] ?? "") === "" && !dumb,
    columns: stderrTty ? (streams.stderr.columns ?? 80) : 80,
    line: (text = "") => void (json || writeOut(`${text}\n`)),
    document: (value) => void (json && writeOut(`${JSON.stringify(value, jsonValue, 2)}\n`)),
    note: (text) => writeErr(`${text}\n`),
    raw: writeErr,
    async ask(question) {
      const { createInterface } = await import("node:readline/promises"); // only who is asked pays for it
      const lines = createInterface({ input: streams.stdin, output: streams.stderr });
      try {
        return await lines.question(`${question} `);
      } finally {
        lines.close();
      }
    },
  };
}

/** Writes to one of the streams; that its reader has gone is no error. */
export function createWriter(
  streams: Pick<Streams, "stdout" | "stderr">,
  name: "stdout" | "stderr",
): (text: string) => void {
  let ready = false;
  return (text) => {
    const stream = streams[name];
    if (!ready) stream.on("error", endQuietly);
    ready = true;
    stream.write(text);
  };
}

/** Whoever read the output has gone, as in `emb status | head -1`: the work goes on without being told of. */
function endQuietly(error: Error): void {
  if (!("code" in error && error.code === "EPIPE")) throw error;
}

/** Document versions are bigint: JSON shows them as numbers while they are exact, else as text. */
const jsonValue = (_key: string, value: unknown): unknown =>
  typeof value !== "bigint" ? value : value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
