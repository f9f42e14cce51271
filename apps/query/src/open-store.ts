import type { Settings } from "@emb/config";
import { EmbError } from "@emb/manifest";
import { openEmbeddedStore, type Store } from "@emb/store";

/**
 * The store that the settings name.
 * @throws EmbError EMB_CONFIG_INVALID for a store that this version does not have, EMB_STORE_LOCKED, EMB_STORE_UNAVAILABLE, EMB_STORE_FULL, EMB_STORE_SCHEMA_NEWER
 */
export async function openStore({ databaseUrl, paths, store }: Settings): Promise<Store> {
  if (databaseUrl !== null)
    throw new EmbError("EMB_CONFIG_INVALID", "DATABASE_URL is set, and this version has only the embedded database", {
      hint: "Unset DATABASE_URL to use the embedded database under EMB_DATA_DIR.",
    });
  if (store.kind !== "postgres")
    throw new EmbError("EMB_CONFIG_INVALID", `store.kind is ${store.kind}, and this version has only postgres`, {
      hint: "Set store.kind: postgres in the environment's file.",
    });
  return openEmbeddedStore({ dataDir: paths.dataDir, schema: store.schema });
}

/** Runs `work` with the store and closes it whatever happens. */
export async function withStore<T>(settings: Settings, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(settings);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
