import type { Settings } from "@emb/config";
import { EmbError } from "@emb/manifest";
import { openEmbeddedStore, type Store } from "@emb/store";

/**
 * The store that the settings name.
 * @param onWarning told of what goes wrong beside the calls, such as a connection that is lost. Default: nobody
 * @throws EmbError EMB_CONFIG_INVALID for a store that this version does not have, EMB_STORE_LOCKED, EMB_STORE_UNAVAILABLE, EMB_STORE_REFUSED, EMB_STORE_FULL, EMB_STORE_SCHEMA_NEWER
 */
export async function openStore(
  { databaseUrl, paths, store }: Settings,
  onWarning?: (message: string) => void,
): Promise<Store> {
  if (store.kind !== "postgres")
    throw new EmbError("EMB_CONFIG_INVALID", `store.kind is ${store.kind}, and this version has only postgres`, {
      hint: "Set store.kind: postgres in the environment's file.",
    });
  if (databaseUrl !== null) {
    const { openServerStore } = await import("@emb/store/server");
    const { schema, queueSchema } = store;
    return openServerStore({ connectionString: databaseUrl, schema, queueSchema, ...(onWarning && { onWarning }) });
  }
  return openEmbeddedStore({ dataDir: paths.dataDir, schema: store.schema });
}

/** Runs `work` with the store and closes it whatever happens. */
export async function withStore<T>(
  settings: Settings,
  work: (store: Store) => Promise<T>,
  onWarning?: (message: string) => void,
): Promise<T> {
  const store = await openStore(settings, onWarning);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
