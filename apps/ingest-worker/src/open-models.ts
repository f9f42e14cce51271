import type { Environment, Settings } from "@emb/config";
import { telemetryLabels } from "@emb/providers";
import type { ProfileTelemetry } from "@emb/providers/telemetry";
import { findProfile, telemetryContext, type ServiceLog, type Telemetry } from "@emb/query";
import type { NamespaceRecord, Store } from "@emb/store";
import { createModel, type Model } from "./model.js";

/** A model that nobody has used for so long is closed. */
const IDLE_MS = 60_000;

/** The model of a namespace's profile, with the log and the telemetry that carry the namespace's labels. */
interface OpenModel extends Model {
  readonly log: ServiceLog;
  readonly telemetry: ProfileTelemetry;
}

/** One model for each namespace, however many duties and shards use it at once; closed a minute after its last use. */
export interface OpenModels {
  /** @throws EmbError EMB_PROFILE_UNKNOWN, EMB_REQUIREMENT_MISSING, EMB_PROVIDER_UNKNOWN, EMB_MODEL_UNAVAILABLE, and what `work` throws */
  use<T>(record: NamespaceRecord, work: (model: OpenModel) => Promise<T>): Promise<T>;
  /** Closes them all; nobody uses one any more. */
  close(): Promise<void>;
}

interface Entry {
  readonly model: Promise<OpenModel>;
  users: number;
  idle?: NodeJS.Timeout;
}

export function createOpenModels(setup: {
  settings: Settings;
  env: Environment;
  store: Pick<Store, "rateLimits">;
  log: ServiceLog;
  telemetry: Telemetry;
}): OpenModels {
  const { settings, env, store } = setup;
  const entries = new Map<number, Entry>();

  const open = async ({ namespace, seal }: NamespaceRecord): Promise<OpenModel> => {
    const profile = findProfile(settings, seal.profile);
    const context = telemetryContext(settings, profile, namespace);
    const log = setup.log.with(telemetryLabels(context));
    const telemetry = setup.telemetry.profile(context);
    try {
      const model = await createModel(settings, env, profile, {
        pacer: store.rateLimits,
        observer: telemetry.observer,
        onWarning: (message) => log.warn({ event: "provider.warning", message }),
      });
      return { ...model, provider: telemetry.traced(model.provider), log, telemetry };
    } catch (error) {
      telemetry.close();
      throw error;
    }
  };

  const close = async (id: number, entry: Entry): Promise<void> => {
    clearTimeout(entry.idle);
    if (entries.get(id) === entry) entries.delete(id);
    const model = await entry.model.catch(() => null);
    if (model === null) return;
    await model.provider.close();
    model.telemetry.close();
  };

  return {
    async use(record, work) {
      const entry = entries.get(record.id) ?? { model: open(record), users: 0 };
      entries.set(record.id, entry);
      clearTimeout(entry.idle);
      entry.users++;
      try {
        return await work(await entry.model);
      } finally {
        entry.users--;
        const failed = await entry.model.then(
          () => false,
          () => true,
        );
        if (failed) await close(record.id, entry);
        else if (entry.users === 0) entry.idle = setTimeout(() => void close(record.id, entry), IDLE_MS).unref();
      }
    },
    async close() {
      await Promise.all([...entries].map(([id, entry]) => close(id, entry)));
    },
  };
}
