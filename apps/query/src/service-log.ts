import type { Environment } from "@emb/config";
import { isEmbError } from "@emb/manifest";
import type { TelemetryLabels } from "@emb/providers";
import { createRedactor, withoutQuoted } from "./redaction.js";

/** Scalars, or plain values of them. `event` is a closed word such as `listening` or `run.ready`; what people read is `message`. */
export interface LogFields {
  readonly event: string;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly [field: string]: unknown;
}

/** One JSON object a line: level, time, the labels of the profile once it is known, and the fields. Secrets are taken out of every line. */
export interface ServiceLog {
  info(fields: LogFields): void;
  warn(fields: LogFields): void;
  error(fields: LogFields): void;
  /** A log whose lines carry these labels in place of others. */
  with(labels: TelemetryLabels): ServiceLog;
}

export interface ServiceLogSetup {
  /** A whole line without its line break. */
  readonly write: (line: string) => void;
  /** Where secrets stand that must not be written. */
  readonly env: Environment;
}

/** Loads pino, which only services need. */
export async function createServiceLog({ write, env }: ServiceLogSetup): Promise<ServiceLog> {
  const { default: pino } = await import("pino"); // only the default survives where it is bundled
  const redact = createRedactor(env);
  const out = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: "message",
      formatters: { level: (level) => ({ level }) },
      redact: {
        paths: ["authorization", "headers", "password", "api_key", "*.authorization", "*.password"],
        remove: true,
      },
    },
    { write: (line: string) => write(redact(line.trimEnd())) },
  );
  const labelled = (labels: Partial<TelemetryLabels>): ServiceLog => ({
    info: (fields) => out.info({ ...labels, ...fields }),
    warn: (fields) => out.warn({ ...labels, ...fields }),
    error: (fields) => out.error({ ...labels, ...fields }),
    with: labelled,
  });
  return labelled({});
}

/**
 * What a log line says of an error. Our own errors hold no text and no secret, so they speak for themselves. Of others, and of causes, only what
 * cannot hold one: name, code, the message without what it quotes, and the places in the code.
 */
export function errorFields(error: unknown): Omit<LogFields, "event"> {
  const cause = error instanceof Error ? causes(error.cause) : [];
  const because = cause.length === 0 ? {} : { cause };
  if (isEmbError(error)) {
    const { code, message, hint, context, problems } = error;
    return { code, message, hint, ...context, ...(problems.length > 0 && { problems }), ...because };
  }
  if (!(error instanceof Error))
    return { code: "EMB_INTERNAL", message: `something was thrown that is no Error: ${typeof error}` };
  const places = error.stack
    ?.split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
  return { code: "EMB_INTERNAL", message: withoutQuoted(error.message), error: nameOf(error), places, ...because };
}

/** The chain of causes, outermost first, as names and codes. */
function causes(cause: unknown): string[] {
  const names: string[] = [];
  for (let at = cause; at instanceof Error && names.length < 5; at = at.cause) names.push(nameOf(at));
  return names;
}

const nameOf = (error: Error): string => ("code" in error ? `${error.name} ${String(error.code)}` : error.name);
