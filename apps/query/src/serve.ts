import { randomUUID } from "node:crypto";
import type { Environment, GateDecision, Settings } from "@emb/config";
import { fingerprint, isEmbError, namespaceName, type Profile } from "@emb/manifest";
import {
  createProvider,
  renderBanner,
  telemetryLabels,
  type EmbeddingProvider,
  type TelemetryContext,
} from "@emb/providers";
import type { ProfileTelemetry } from "@emb/providers/telemetry";
import { openSearch, type Search } from "@emb/search";
import type { NamespaceAddress, Store } from "@emb/store";
import { bannerOf } from "./banner.js";
import { actor, passGate, recordOverride } from "./deployment.js";
import { guardSeal } from "./guard-seal.js";
import { openPort } from "./open-port.js";
import { createQueryApp } from "./query-app.js";
import { createSealWatch, type SealWatch } from "./seal-watch.js";
import { errorFields, type ServiceLog } from "./service-log.js";
import { openShadow, type Shadow } from "./shadow.js";
import type { Telemetry } from "./telemetry.js";
import { telemetryContext } from "./telemetry-context.js";
import { timedNamespaces } from "./timed-namespaces.js";

const HEARTBEAT_MS = 10_000;
const TEND_MS = 60_000;

export interface ServeSetup {
  readonly settings: Settings;
  readonly env: Environment;
  readonly store: Store;
  readonly base: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** Takes the banner, which is for people. */
  readonly note: (text: string) => void;
  readonly log: ServiceLog;
  readonly telemetry: Telemetry;
  /** From 0 to below 1: which queries a shadow is asked. @defaultValue Math.random */
  readonly random?: () => number;
  /** Monotonic. @defaultValue performance.now */
  readonly nowMs?: () => number;
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
  const { settings, env, store, base, signal, note } = setup;
  const { nowMs = () => performance.now() } = setup;
  const { profile, decision } = passGate(settings, env, undefined);
  const mode = settings.namespaceMode;
  const { maxNamespaceBytes } = store.capabilities;
  const address = { ...namespaceName({ base, profile, mode, maxLength: maxNamespaceBytes }), mode };
  const context = telemetryContext(settings, profile, address.namespace);
  const log = setup.log.with(telemetryLabels(context));
  const telemetry = setup.telemetry.profile(context);
  telemetry.guard("gate", "clean");
  let model: EmbeddingProvider | undefined;
  let shadow: Shadow | undefined;
  try {
    const { dataDir, modelsDir } = settings.paths;
    const provider = await createProvider(profile, {
      env,
      dataDir,
      modelsDir: modelsDir ?? undefined,
      pacer: store.rateLimits, // counts; a question never waits for it
      observer: telemetry.observer,
      onWarning: (message) => log.warn({ event: "provider.warning", message }),
    });
    model = telemetry.traced(provider);
    const { random = Math.random } = setup;
    shadow = await openShadow({ ...setup, active: profile.name, random, nowMs });
    return await serveWith(model, shadow);
  } catch (error) {
    await shadow?.close();
    await model?.close();
    telemetry.close();
    throw error;
  }

  async function serveWith(provider: EmbeddingProvider, beside: Shadow): Promise<QueryService> {
    note(renderBanner(bannerOf(settings, profile, address.namespace, decision)));
    const namespaces = timedNamespaces(store.namespaces, telemetry);
    const strict = settings.strictMode;
    const opened = await guardSeal(telemetry, () => openSearch({ namespaces, address, provider, strict, signal }));
    const watch = createSealWatch({
      namespaces,
      opened: opened.reader.record,
      nowMs,
      onLost(error) {
        telemetry.guard("seal", "blocked");
        log.error({ event: "seal.lost", ...errorFields(error) });
      },
    });
    const search = beside.around(watched(countMismatched(opened, telemetry), watch));
    if (search.reader.seal === "mismatched")
      log.warn({
        event: "seal.mismatched",
        code: "EMB_SEAL_MISMATCH",
        message: `serving ${address.namespace} under another seal, because strict mode is off: answers are not to be trusted`,
      });

    let notReady: string | null = null;
    const { topK, maxTopK, timeoutMs } = settings.query;
    const app = createQueryApp({
      search,
      topK,
      maxTopK,
      timeoutMs,
      profile: () => profileDocument(settings, context, search),
      serveRequest: telemetry.serveRequest,
      metrics: () => setup.telemetry.metricsText(),
      onFailure: (error) => log.error({ event: "request.failed", ...errorFields(error) }),
      notReady: async () => notReady ?? (await reasonAgainst(watch)),
      readyDetail: () => ({ shadow: beside.detail() ?? undefined }),
    });
    const { host, port } = setup;
    const open = await openPort(app, {
      host,
      port,
      setting: "query.port in the environment's file, or --port of emb dev",
    });

    const instance = randomUUID();
    const report = {
      instance,
      environment: settings.environment,
      base,
      namespace: address.namespace,
      profile: profile.name,
      use: "serving" as const,
    };
    try {
      await recordStart(store, settings, decision, address, profile);
      await store.readers.report(report);
    } catch (error) {
      await open.close(); // an open port would keep a process alive that serves nothing
      throw error;
    }
    const served = (await store.namespaces.find(address))?.id;
    const showLag = () =>
      void store.changes.counts().then(
        (counts) =>
          telemetry.changes(
            counts.find(({ namespaceId }) => namespaceId === served) ?? {
              queued: 0,
              oldestAgeMs: 0,
              setAside: 0,
            },
          ),
        () => {}, // the report beside it says so
      );
    showLag();
    const heartbeat = setInterval(() => {
      void beside.report();
      showLag(); // what it serves may be behind
      store.readers.report(report).then(
        () => (notReady = null),
        () => (notReady = "the database does not answer"),
      );
    }, HEARTBEAT_MS);

    void beside.tend();
    const tending = setInterval(() => void beside.tend(), TEND_MS);

    const { url } = open;
    log.info({ event: "listening", url, namespace: address.namespace });
    return {
      url,
      namespace: address.namespace,
      async close() {
        notReady = "stopping";
        clearInterval(heartbeat);
        clearInterval(tending);
        await open.close();
        await beside.close();
        await store.readers.leave(instance).catch(() => {}); // a lost database is no reason to stay
        await provider.close();
        telemetry.close();
      },
    };
  }
}

/** Answers only while the namespace is the one that was opened. */
const watched = (search: Search, watch: SealWatch): Search => ({
  ...search,
  async search(request, options) {
    await watch.check();
    return search.search(request, options);
  },
});

const reasonAgainst = (watch: SealWatch): Promise<string | null> =>
  watch.check().then(
    () => null,
    (error: unknown) => (isEmbError(error) ? `${error.code} ${error.message}` : "the database does not answer"),
  );

/** Counts each answer that is read under another seal. */
const countMismatched = (search: Search, telemetry: ProfileTelemetry): Search => ({
  ...search,
  async search(request, options) {
    const answer = await search.search(request, options);
    if (answer.seal === "mismatched") telemetry.guard("seal", "warned");
    return answer;
  },
});

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
  context: TelemetryContext,
  { reader, witnessCosine, ...search }: Search,
) => ({
  ...telemetryLabels(context),
  environment: settings.environment,
  baseline: settings.baseline,
  fingerprint: fingerprint(context.profile),
  seal: reader.seal,
  witness_cosine: witnessCosine,
  mismatched_answers: search.mismatchedAnswers(),
});
