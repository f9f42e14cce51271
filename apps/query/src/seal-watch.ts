import { isDeepStrictEqual } from "node:util";
import { EmbError } from "@emb/manifest";
import type { NamespaceRecord, Namespaces } from "@emb/store";

/** An answer rests on a seal that was seen at most this long ago. */
const LOOK_EVERY_MS = 30_000;

/** Whether the namespace that was opened is still the one at its address, under the seal that it had then. */
export interface SealWatch {
  /**
   * Looks again when the last look is old, once for all who ask meanwhile. What was found wrong is looked at by each call.
   * @throws EmbError EMB_NAMESPACE_NOT_FOUND, EMB_SEAL_MISMATCH, and what the store throws: what cannot be seen is not taken to be right
   */
  check(): Promise<void>;
}

/**
 * @param watch.opened as it was when its seal and its witness were checked
 * @param watch.onLost told once when it is not the one any more
 */
export function createSealWatch(watch: {
  namespaces: Pick<Namespaces, "find">;
  opened: NamespaceRecord;
  nowMs: () => number;
  onLost: (error: EmbError) => void;
}): SealWatch {
  const { namespaces, opened, nowMs, onLost } = watch;
  let seenAtMs = nowMs();
  let looking: Promise<void> | null = null;
  let lost = false;

  const look = async () => {
    const startMs = nowMs();
    const error = compare(opened, await namespaces.find(opened));
    if (error !== null && !lost) onLost(error);
    lost = error !== null;
    if (error !== null) throw error;
    seenAtMs = startMs;
  };

  return {
    async check() {
      if (!lost && nowMs() - seenAtMs < LOOK_EVERY_MS) return;
      await (looking ??= look().finally(() => (looking = null)));
    },
  };
}

function compare(opened: NamespaceRecord, found: NamespaceRecord | null): EmbError | null {
  const { namespace, seal } = opened;
  if (found?.id !== opened.id)
    return new EmbError(
      "EMB_NAMESPACE_NOT_FOUND",
      `namespace ${namespace}: expected the one that was opened at the start, seen ${found === null ? "none" : "another one"} in its place`,
      { hint: "Fill it with emb reingest, or roll back, then start the service again.", context: { namespace } },
    );
  if (isDeepStrictEqual(found.seal, seal)) return null;
  return new EmbError(
    "EMB_SEAL_MISMATCH",
    `namespace ${namespace}: expected the seal of the start, fingerprint ${seal.fingerprint}, seen another one, fingerprint ${found.seal.fingerprint}`,
    { hint: "Find out who wrote to the database, then start the service again.", context: { namespace } },
  );
}
