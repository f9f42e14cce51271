import { isEmbError } from "@emb/manifest";
import type { ProfileTelemetry } from "@emb/providers/telemetry";
import type { Search } from "@emb/search";

/** Counts what the seal and the witness decide about an opening. */
export async function guardSeal(telemetry: ProfileTelemetry, open: () => Promise<Search>): Promise<Search> {
  try {
    const search = await open();
    if (search.reader.seal === "equal") telemetry.guard("seal", "clean");
    return search;
  } catch (error) {
    if (isEmbError(error, "EMB_SEAL_MISMATCH") || isEmbError(error, "EMB_WITNESS_FAILED"))
      telemetry.guard("seal", "blocked");
    throw error;
  }
}
