import type { ProfileTelemetry } from "@emb/providers/telemetry";
import type { Store } from "@emb/store";

/** The store's namespaces, with every search of a reader timed. */
export const timedNamespaces = (
  namespaces: Store["namespaces"],
  { storeSearch }: Pick<ProfileTelemetry, "storeSearch">,
): Store["namespaces"] => ({
  ...namespaces,
  async openReader(...how) {
    const reader = await namespaces.openReader(...how);
    return { ...reader, searchDense: (query) => storeSearch(() => reader.searchDense(query)) };
  },
});
