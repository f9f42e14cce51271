import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const APPS = new URL("../../../", import.meta.url);
export const EMB = fileURLToPath(new URL("cli/bin/emb.js", APPS));
export const WORKER = fileURLToPath(new URL("ingest-worker/bin/ingest-worker.js", APPS));

/** A real program of ours, under way. */
export interface Program {
  /** null: ended by a signal. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  running(): boolean;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

export type Start = (program: string, args?: readonly string[]) => Program;

/** Starts programs with nothing of this process's environment but what is given. */
export function createStart(cwd: string, env: Readonly<Record<string, string>>): Start {
  return (program, args = []) => {
    const child = spawn(process.execPath, [program, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let running = true;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        running = false;
        resolve({ code, stdout, stderr });
      });
    });
    return { ended, running: () => running, stderr: () => stderr, kill: (signal) => void child.kill(signal) };
  };
}

const Line = z.looseObject({
  event: z.string(),
  time: z.iso.datetime().transform((text) => Date.parse(text)),
  code: z.string().optional(),
  instance: z.string().optional(),
});

/** What a service has logged so far. */
export const linesOf = (program: Program): z.infer<typeof Line>[] =>
  program
    .stderr()
    .split("\n")
    .slice(0, -1)
    .filter((text) => text.startsWith("{"))
    .map((text) => Line.parse(JSON.parse(text)));
