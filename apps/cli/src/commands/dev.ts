import { randomUUID } from "node:crypto";
import { work } from "@emb/ingest-worker";
import { createServiceLog, passGate, serve, startTelemetry, withStore, type QueryService } from "@emb/query";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";
import { wholeNumber } from "../whole-number.js";
import { openNamedSource } from "../named-source.js";
import { fillNamespace } from "./reingest.js";

export interface DevOptions {
  readonly source?: string;
  readonly port?: string;
  readonly base?: string;
}

/** Query service and worker in one process, on one store: what an embedded database, which only one process may hold, needs. */
export const dev: Command<DevOptions> = async (session, options) => {
  const { output, signal, nowMs, env } = session;
  const settings = readSettings(session);
  const { profile } = passGate(settings, env, undefined);
  const base = options.base ?? settings.store.baseNamespace;
  const port = options.port === undefined ? settings.query.port : wholeNumber("--port", options.port, [0, 65_535]);
  const source =
    options.source === undefined ? null : await openNamedSource(session, settings, { source: options.source });
  return withStore(settings, async (store) => {
    if (source !== null) {
      const report = await fillNamespace(session, {
        settings,
        store,
        base,
        to: profile.name,
        source,
        yes: true,
      });
      if (report.state !== "ready") return 1;
    }
    const note = (text: string) => output.note(text);
    const log = await createServiceLog({ write: note, env });
    const { environment } = settings;
    const telemetry = await startTelemetry({ env, serviceName: "emb-dev", environment, log });
    const { host } = settings.query;
    let service: QueryService | undefined;
    try {
      service = await serve({ settings, env, store, base, host, port, signal, note, log, telemetry });
      const { url, namespace } = service;
      output.document({ url, namespace, profile: profile.name });
      output.note(`listening on ${url}; try`);
      output.note(`  curl -s ${url}/v1/query -H 'content-type: application/json' -d '{"query": "how do I ..."}'`);
      await work({ settings, env, store, instance: randomUUID(), stopping: signal, signal, nowMs, log, telemetry });
    } finally {
      await service?.close();
      await telemetry.close();
    }
    return 0;
  });
};
