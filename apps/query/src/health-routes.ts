import type { Hono } from "hono";

/** What every service says about itself. */
export interface HealthSetup {
  /** Null while the service does its work, else why it does not. */
  readonly notReady: () => string | null | Promise<string | null>;
  /** What /readyz says besides; keys that are undefined are left out. Default: nothing. */
  readonly readyDetail?: () => Readonly<Record<string, unknown>>;
  /** What /metrics answers, as Prometheus text. */
  readonly metrics: () => Promise<string>;
}

/** /healthz: the process answers. /readyz: it does its work, or 503 with the reason. /metrics. */
export function addHealthRoutes(app: Hono, { notReady, readyDetail = () => ({}), metrics }: HealthSetup): void {
  app.get("/healthz", (context) => context.json({ ok: true }));
  app.get("/readyz", async (context) => {
    const reason = await notReady();
    return reason === null
      ? context.json({ ok: true, ...readyDetail() })
      : context.json({ ok: false, reason, ...readyDetail() }, 503);
  });
  app.get("/metrics", async (context) =>
    context.body(await metrics(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );
}
