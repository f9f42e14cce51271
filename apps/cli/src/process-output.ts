import type { Environment } from "@emb/config";
import type { Output } from "./output.js";

interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The output of a real process. NO_COLOR and a pipe switch colours off; a pipe switches redrawing off. */
export function createProcessOutput({ stdin, stdout, stderr }: Streams, env: Environment, json: boolean): Output {
  return {
    json,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    redraw: stderr.isTTY === true && env["TERM"] !== "dumb",
    color: stdout.isTTY === true && stderr.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
    columns: stderr.columns ?? 80,
    line: (text = "") => void (json || stdout.write(`${text}\n`)),
    document: (value) => void (json && stdout.write(`${JSON.stringify(value, jsonValue, 2)}\n`)),
    note: (text) => void stderr.write(`${text}\n`),
    raw: (text) => void stderr.write(text),
    async confirm(question) {
      const { createInterface } = await import("node:readline/promises"); // only who is asked pays for it
      const lines = createInterface({ input: stdin, output: stderr });
      try {
        return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
      } finally {
        lines.close();
      }
    },
  };
}

/** Document versions are bigint: JSON shows them as numbers while they are exact, else as text. */
const jsonValue = (_key: string, value: unknown): unknown =>
  typeof value !== "bigint" ? value : value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
