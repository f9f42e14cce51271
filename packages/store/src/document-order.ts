/** A number on one of two lines: versions that the caller gives, and versions that are drawn here. */
export interface OrderedVersion {
  readonly version: bigint;
  readonly ownVersion: boolean;
  /** Where it stands among drawn versions: what was drawn when it was written. */
  readonly drawn: bigint;
}

/**
 * How a write stands to what is stored. Pure; intake decides the same in SQL. On one line the versions are compared; across the lines what was drawn is, so
 * that a change outranks every run that began before it.
 */
export function compareVersions(incoming: OrderedVersion, stored: OrderedVersion): "newer" | "equal" | "older" {
  const [a, b] =
    incoming.ownVersion === stored.ownVersion ? [incoming.version, stored.version] : [incoming.drawn, stored.drawn];
  return a > b ? "newer" : a === b ? "equal" : "older";
}

export type PutDecision = "store" | "keep" | "superseded";

/** Pure. `keep`: the content is there already, and the version moves on. A tombstone of the same version stays. */
export function decidePut(
  incoming: OrderedVersion & { readonly contentHash: Uint8Array },
  stored: OrderedVersion & { readonly contentHash: Uint8Array; readonly deleted: boolean },
): PutDecision {
  const order = compareVersions(incoming, stored);
  const same = !stored.deleted && Buffer.compare(incoming.contentHash, stored.contentHash) === 0;
  if (order === "newer") return same ? "keep" : "store";
  return order === "equal" && same ? "keep" : "superseded";
}
