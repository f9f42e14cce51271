import { isEmbError } from "@emb/manifest";

export interface ServiceProcess {
  readonly writeErr: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Reports why a service stopped, as one structured line, and gives its exit code: 75 when trying again later can help, 78 otherwise, 130 when
 * it was asked to stop. Nothing else is written, so that a supervisor can read it.
 */
export function reportServiceError(error: unknown, { writeErr, signal }: ServiceProcess): number {
  if (signal.aborted) return 130;
  const known = isEmbError(error);
  const code = known ? error.code : "EMB_INTERNAL";
  const event =
    code === "EMB_PROFILE_OVERRIDE_REFUSED" || code === "EMB_PROFILE_UNKNOWN" ? "gate.refused" : "start.failed";
  const message = error instanceof Error ? error.message : String(error);
  writeErr(
    JSON.stringify({
      level: "error",
      event,
      code,
      message,
      ...(known
        ? {
            hint: error.hint,
            ...error.context,
            problems: error.problems,
          }
        : {}),
    }),
  );
  return known && error.retryable ? 75 : 78;
}
