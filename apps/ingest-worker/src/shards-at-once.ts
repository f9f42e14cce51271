import type { Settings } from "@emb/config";
import { runsInProcess, type Profile } from "@emb/manifest";

/** A model in process has its threads busy with one shard; a distant one is waited for, so that more shards are filled meanwhile. */
export const shardsAtOnce = ({ ingest }: Pick<Settings, "ingest">, profile: Profile): number =>
  runsInProcess(profile) ? 1 : ingest.concurrency;
