import type { Writable } from "node:stream";
import { isEmbError } from "@emb/manifest";
import { errorFields, type ServiceLog } from "./service-log.js";

export interface ServiceProcess {
  readonly log: Pick<ServiceLog, "error">;
  readonly signal: AbortSignal;
}

/**
 * What a service says that was started with arguments, and its exit code: it takes none, and one that it dropped in silence would look as if it held.
 * @returns null where there are none
 */
export function answerArguments(service: string, given: readonly string[]): { text: string; exitCode: 0 | 2 } | null {
  const [first] = given;
  if (first === undefined) return null;
  const action = "Say it in config/<env>.yaml or the environment, and start it without arguments.";
  if (first === "--help" || first === "-h") return { text: `usage: ${service}\n  ${action}`, exitCode: 0 };
  // a value may be a secret; the name of a flag is none
  const seen = /^--?[a-z][a-z0-9-]*/i.exec(first)?.[0] ?? `${given.length}`;
  return { text: `error EMB_USAGE ${service}: expected no arguments, seen ${seen}\n  -> ${action}`, exitCode: 2 };
}

/** Writes lines for people and logs. That whoever read them has gone, as a log collector that restarts, ends no service. */
export function createNote(stream: Writable): (line: string) => void {
  stream.on("error", (error) => {
    if (!("code" in error && error.code === "EPIPE")) throw error;
  });
  return (line) => void stream.write(`${line}\n`);
}

/**
 * Reports why a service stopped, as one structured line, and gives its exit code: 75 when trying again later can help, 78 otherwise, 130 when
 * it was asked to stop. Nothing else is written, so that a supervisor can read it.
 */
export function reportServiceError(error: unknown, { log, signal }: ServiceProcess): number {
  if (signal.aborted) return 130;
  const refused = isEmbError(error, "EMB_PROFILE_OVERRIDE_REFUSED") || isEmbError(error, "EMB_PROFILE_UNKNOWN");
  log.error({ event: refused ? "gate.refused" : "start.failed", ...errorFields(error) });
  return isEmbError(error) && error.retryable ? 75 : 78;
}
