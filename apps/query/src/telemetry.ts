import type { Environment } from "@emb/config";
import type { TelemetryContext } from "@emb/providers";
import type { ProfileTelemetry } from "@emb/providers/telemetry";
import type { ServiceLog } from "./service-log.js";

/** Metrics and traces of one process. */
export interface Telemetry {
  /** Opens the telemetry of a profile that the process holds. */
  profile(context: TelemetryContext): ProfileTelemetry;
  /** All metrics as Prometheus text. */
  metricsText(): Promise<string>;
  /** Sends what is left to the collector, for at most three seconds. Never throws. */
  close(): Promise<void>;
}

export interface TelemetrySetup {
  /** OTEL_* variables. The exporters read them from process.env, so this is process.env wherever something is to be exported. */
  readonly env: Environment;
  /** OTEL_SERVICE_NAME unless set there. */
  readonly serviceName: string;
  /** design.md's environment: development, production, ... */
  readonly environment: string;
  readonly log: ServiceLog;
}

/**
 * Starts measuring. The Prometheus text is made when it is asked for; an OTLP exporter is loaded and started only when the OTEL_* variables ask
 * for one. A collector that does not answer is said once in the log and changes nothing else.
 */
export const startTelemetry = async (setup: TelemetrySetup): Promise<Telemetry> =>
  (await import("./open-telemetry.js")).openTelemetry(setup); // which loads the SDK: most commands never do
