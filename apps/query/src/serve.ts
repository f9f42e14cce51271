import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Environment, GateDecision, Settings } from "@emb/config";
import { EmbError, fingerprint, isEmbError, namespaceName, type Profile } from "@emb/manifest";
import { createProvider, renderBanner, telemetryLabels, type EmbeddingProvider } from "@emb/providers";
import { openSearch, type Search } from "@emb/search";
import type { NamespaceAddress, Store } from "@emb/store";
import { bannerOf } from "./banner.js";
import { actor, passGate, recordOverride } from "./deployment.js";
import { createQueryApp } from "./query-app.js";

const HEARTBEAT_MS = 10_000;
/** Requests still running after this long are cut when the service stops. */
const DRAIN_MS = 10_000;

export interface ServeSetup {
  readonly settings: Settings;
  readonly env: Environment;
  readonly store: Store;
  readonly base: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** Lines for people and logs: the banner, warnings. */
  readonly note: (text: string) => void;
}

export interface QueryService {
  readonly url: string;
  readonly namespace: string;
  /** Takes no new requests, finishes the running ones for at most ten seconds, then says good-bye to the store. The store stays open. */
  close(): Promise<void>;
}

/**
 * Starts serving the active profile: gate, model, then seal and witness of the namespace; only when all hold is the port opened. The first start
 * with another profile than before is the cutover, and is recorded.
 * @throws EmbError of the gate, the model, the seal or the witness; EMB_USAGE when the port is taken
 */
export async function serve(setup: ServeSetup): Promise<QueryService> {
  const { settings, env, store, base, signal } = setup;
  const { profile, decision } = passGate(settings, env, undefined);
  const { dataDir, modelsDir } = settings.paths;
  const provider = await createProvider(profile, { env, dataDir, modelsDir: modelsDir ?? undefined });
  try {
    return await serveWith(setup, provider, decision);
  } catch (error) {
    await provider.close();
    throw error;
  }

  async function serveWith(
    { note }: ServeSetup,
    model: EmbeddingProvider,
    permitted: Exclude<GateDecision, { kind: "refused" }>,
  ): Promise<QueryService> {
    const mode = settings.namespaceMode;
    const address = {
      ...namespaceName({ base, profile, mode, maxLength: store.capabilities.maxNamespaceBytes }),
      mode,
    };
    note(renderBanner(bannerOf(settings, profile, address.namespace, permitted)));
    const search = await openSearch({
      namespaces: store.namespaces,
      address,
      provider: model,
      strict: settings.strictMode,
      signal,
    });
    if (search.reader.seal === "mismatched")
      note(
        `warning EMB_SEAL_MISMATCH serving ${address.namespace} under another seal, because strict mode is off: answers are not to be trusted`,
      );

    let notReady: string | null = null;
    const { topK, maxTopK, timeoutMs } = settings.query;
    const app = createQueryApp({
      search,
      topK,
      maxTopK,
      timeoutMs,
      profile: () => profileDocument(settings, profile, address, search),
      onFailure: (error) => note(failureLine(error)),
      notReady: () => notReady,
    });
    const answer = getRequestListener(app.fetch); // answers its own errors, so its promise never rejects
    const server = createServer((request, response) => void answer(request, response));
    await listen(server, setup);

    const instance = randomUUID();
    const report = {
      instance,
      environment: settings.environment,
      base,
      namespace: address.namespace,
      profile: profile.name,
    };
    try {
      await recordStart(store, settings, permitted, address, profile);
      await store.readers.report(report);
    } catch (error) {
      server.close(); // an open port would keep a process alive that serves nothing
      server.closeAllConnections();
      throw error;
    }
    const heartbeat = setInterval(() => {
      store.readers.report(report).then(
        () => (notReady = null),
        () => (notReady = "the database does not answer"),
      );
    }, HEARTBEAT_MS);

    const port = boundPort(server);
    return {
      url: `http://${setup.host.includes(":") ? `[${setup.host}]` : setup.host}:${port}`,
      namespace: address.namespace,
      async close() {
        notReady = "stopping";
        clearInterval(heartbeat);
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeIdleConnections();
        const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
        await closed;
        clearTimeout(cut);
        await store.readers.leave(instance).catch(() => {}); // a lost database is no reason to stay
        await model.close();
      },
    };
  }
}

/** One structured line; its message may be a database's, so it goes to the log and not to the client. */
const failureLine = (error: Error): string =>
  JSON.stringify({
    level: "error",
    event: "request.failed",
    code: isEmbError(error) ? error.code : "EMB_INTERNAL",
    message: error.message,
  });

async function listen(
  server: ReturnType<typeof createServer>,
  { host, port }: Pick<ServeSetup, "host" | "port">,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new EmbError(
          "EMB_USAGE",
          `expected to listen on ${host}:${port}, seen ${"code" in cause ? String(cause.code) : cause.message}`,
          {
            hint: "Stop what uses the port, or choose another: query.port in the environment's file, or --port.",
            cause,
          },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function boundPort(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new EmbError("EMB_INTERNAL", "expected a TCP address of the listening server", { hint: "Report this." });
  return address.port;
}

/** The audit rows of a start: the override that was permitted, and the cutover when another profile served before. */
async function recordStart(
  store: Store,
  { environment, baseline }: Settings,
  decision: Exclude<GateDecision, { kind: "refused" }>,
  { base, namespace }: NamespaceAddress,
  profile: Profile,
): Promise<void> {
  await recordOverride(store, { environment, baseline }, decision, "query");
  const before = await store.readers.recordServing({ environment, base, profile: profile.name, namespace });
  if (before !== profile.name)
    await store.audit.append({
      action: "cutover",
      actor: actor(),
      detail: {
        environment,
        base,
        namespace,
        from: before,
        to: profile.name,
      },
    });
}

const profileDocument = (
  settings: Settings,
  profile: Profile,
  { namespace }: NamespaceAddress,
  { reader, witnessCosine, ...search }: Search,
) => ({
  ...telemetryLabels({
    profile,
    namespace,
    namespaceMode: settings.namespaceMode,
    strictMode: settings.strictMode,
    swappable: settings.swappable,
    experiment: settings.experiment,
  }),
  environment: settings.environment,
  baseline: settings.baseline,
  fingerprint: fingerprint(profile),
  seal: reader.seal,
  witness_cosine: witnessCosine,
  mismatched_answers: search.mismatchedAnswers(),
});
