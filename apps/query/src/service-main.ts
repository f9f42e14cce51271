import type { Writable } from "node:stream";
import { isEmbError } from "@emb/manifest";
import { errorFields, type ServiceLog } from "./service-log.js";

export interface ServiceProcess {
  readonly log: Pick<ServiceLog, "error">;
  readonly signal: AbortSignal;
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
