import { decideWitness } from "@emb/manifest";
import type { NamespaceRecord } from "@emb/store";

/**
 * Namespaces whose stored vectors can stand in this one as they are: of the same vector space by name, proved by the witnesses in both seals,
 * and kept in the same precision. Pure. Those of the same base first.
 */
export function sameSpace(
  record: NamespaceRecord,
  all: readonly NamespaceRecord[],
  minCosine: number,
): readonly NamespaceRecord[] {
  const { id, base, seal } = record;
  const vectorsOf = ({ witness }: NamespaceRecord["seal"]) => witness.map(({ vector }) => vector);
  return all
    .filter(
      (other) =>
        mayLend(other, { id, spaceId: seal.spaceId, storage: seal.storage }) &&
        other.seal.dims === seal.dims &&
        sameProbes(seal.witness, other.seal.witness) &&
        decideWitness(vectorsOf(seal), vectorsOf(other.seal), minCosine).ok,
    )
    .toSorted((a, b) => Number(b.base === base) - Number(a.base === base) || a.id - b.id);
}

/** As far as a name tells: whether the namespace has vectors, other than its own, that can stand as they are in one of this space and storage. */
export const mayLend = (
  { id, state, seal }: NamespaceRecord,
  to: { readonly id: number | null } & Pick<NamespaceRecord["seal"], "spaceId" | "storage">,
): boolean => id !== to.id && state !== "retired" && seal.spaceId === to.spaceId && seal.storage === to.storage;

type Witness = NamespaceRecord["seal"]["witness"];

const sameProbes = (a: Witness, b: Witness): boolean =>
  a.length === b.length && a.every(({ side, text }, place) => side === b[place]?.side && text === b[place]?.text);
