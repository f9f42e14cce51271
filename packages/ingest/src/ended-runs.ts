import type { Run, Store } from "@emb/store";

/**
 * A run that ends without becoming ready leaves documents that only its shards would have brought to its namespace. Where the namespace was ready before, it
 * goes on to be kept fresh, so they are queued. @returns documents queued
 */
export async function queueWhatRunsLeft(
  { namespaces, changes }: Pick<Store, "namespaces" | "changes">,
  ended: readonly Pick<Run, "base" | "namespaceId">[],
): Promise<number> {
  let queued = 0;
  for (const { base, namespaceId } of ended) {
    const record = (await namespaces.list(base)).find(({ id }) => id === namespaceId);
    if (record?.state === "ready") queued += await changes.queuePending(namespaceId);
  }
  return queued;
}
