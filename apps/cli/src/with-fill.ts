import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "@emb/config";
import { isEmbError, type EmbError, type Profile } from "@emb/manifest";
import { targetAddress, type ContinueSetup } from "@emb/ingest";
import { boundHeapGrowth, createModel, shardsAtOnce } from "@emb/ingest-worker";
import { actor, bannerOf, passGate, recordOverride } from "@emb/query";
import { renderBanner } from "@emb/providers";
import type { Store } from "@emb/store";
import { createProgressView } from "./progress.js";
import type { Session } from "./session.js";

/** A profile's model, ready to fill a namespace of the base. */
export interface Fill {
  readonly setup: ContinueSetup;
  readonly profile: Profile;
  readonly namespace: string;
}

/**
 * Everything around a fill: the gate, the banner, the audit row of a permitted override, progress on stderr, and the model, which is closed whatever
 * happens.
 * @param fill.consent asked before the override is recorded and anything is embedded
 * @param fill.interrupted what to say when the operator stops it
 */
export async function withFill<T>(
  session: Session,
  fill: {
    settings: Settings;
    store: Store;
    base: string;
    to: string;
    acceptFailures: number;
    consent: (fill: Fill) => Promise<void>;
    interrupted: () => EmbError;
  },
  work: (fill: Fill) => Promise<T>,
): Promise<T> {
  const { settings, store, base, to } = fill;
  const { profile, decision } = passGate(settings, session.env, to);
  const { commitRows, leaseMs } = settings.ingest;
  boundHeapGrowth();
  const model = await createModel(settings, session.env, profile, { pacer: store.rateLimits });
  const view = createProgressView(session.output, session.nowMs);
  try {
    const { namespace } = targetAddress({ base, mode: settings.namespaceMode, provider: model.provider, store });
    session.output.note(renderBanner(bannerOf(settings, profile, namespace, decision)));
    const setup: ContinueSetup = {
      store,
      ...model,
      limits: settings.verify,
      commitRows,
      leaseMs,
      shardsAtOnce: shardsAtOnce(settings, profile),
      acceptFailures: fill.acceptFailures,
      actor: actor(),
      nowMs: session.nowMs,
      signal: session.signal,
      onProgress: (progress) => view.update(progress),
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    };
    const opened = { setup, profile, namespace };
    await fill.consent(opened);
    await recordOverride(store, settings, decision, "reingest");
    return await work(opened);
  } catch (error) {
    throw session.signal.aborted && !isEmbError(error) ? fill.interrupted() : error;
  } finally {
    view.end();
    await model.provider.close();
  }
}
