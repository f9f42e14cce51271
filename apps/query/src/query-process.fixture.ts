import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const SERVICE = fileURLToPath(new URL("../bin/query.js", import.meta.url));

export interface QueryProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
  /** Its address once it listens; rejects when it ends before. */
  readonly url: Promise<string>;
  stderr(): string;
}

/** Starts the real service in production, with nothing of this process's environment but PATH. */
export function startQueryProcess(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): QueryProcess {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [SERVICE, ...args], { cwd, env: { PATH, ENV: "production", ...env } });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, stderr }));
  });
  const url = new Promise<string>((resolve, reject) => {
    child.stderr.on("data", () => {
      const address = /"url":"([^"]+)"/.exec(stderr)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once("close", () => reject(new Error(`the service ended without listening: ${stderr}`)));
  });
  url.catch(() => {}); // most tests are about a service that never listens
  return { child, ended, url, stderr: () => stderr };
}
