import {
  decideWitness,
  embedProbes,
  fingerprint,
  namespaceName,
  PROBE_TEXTS,
  spaceId,
  witnessFailed,
  type NamespaceMode,
  type Profile,
} from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import type { ExpectedSeal, NamespaceAddress, NamespaceRecord, NamespaceWriter, Seal, Store } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { decideTarget } from "./target.js";
import { sealedChunker } from "./whole-texts.js";

/** What the namespace of a re-ingest is found or made with. */
export interface TargetSetup {
  readonly store: Store;
  readonly provider: EmbeddingProvider;
  readonly chunker: Chunker;
  readonly signal: AbortSignal;
}

export const targetAddress = ({
  base,
  mode,
  provider,
  store,
}: {
  base: string;
  mode: NamespaceMode;
  provider: Pick<EmbeddingProvider, "profile">;
  store: Pick<Store, "capabilities">;
}): NamespaceAddress => ({
  ...namespaceName({ base, profile: provider.profile, mode, maxLength: store.capabilities.maxNamespaceBytes }),
  mode,
});

export const expectedSeal = (profile: Profile): ExpectedSeal => ({
  profile: profile.name,
  spaceId: spaceId(profile),
  fingerprint: fingerprint(profile),
  dims: profile.dims,
});

/**
 * The target's catalogue record, made with a fresh seal when there is none. Refusals come before the provider is asked for anything.
 * @throws EmbError EMB_NAMESPACE_MODE_MISMATCH, EMB_NAMESPACE_OCCUPIED, EMB_SEAL_MISMATCH, and what store and provider throw
 */
export async function openTarget(setup: TargetSetup, address: NamespaceAddress): Promise<NamespaceRecord> {
  const { store, provider, chunker, signal } = setup;
  const { profile } = provider;
  const decision = decideTarget({
    address,
    profile,
    chunkerId: chunker.id,
    base: await store.namespaces.list(address.base),
    baseMode: await store.namespaces.modeOf(address.base),
  });
  if (decision.kind === "refused") throw decision.error;
  if (decision.kind === "reuse") return decision.record;

  const probes = (["document", "query"] as const).flatMap((side) => PROBE_TEXTS[side].map((text) => ({ side, text })));
  const vectors = await embedProbes(provider, probes, signal);
  const { dims, similarity, storage, modelId } = profile;
  const seal: Seal = {
    ...expectedSeal(profile),
    chunkerId: chunker.id,
    provider: profile.provider,
    modelId,
    dims,
    similarity,
    storage,
    witness: probes.map((probe, place) => ({
      ...probe,
      vector: vectors[place]!,
    })),
  };
  return store.namespaces.create(address, seal);
}

/**
 * A namespace that is there, to be written with the profile and the chunker that its seal says.
 * @throws EmbError EMB_SEAL_MISMATCH, EMB_NAMESPACE_NOT_FOUND
 */
export async function openSealedWriter(
  { store, provider, chunker: given }: Pick<TargetSetup, "provider" | "chunker"> & { store: Pick<Store, "namespaces"> },
  record: NamespaceRecord,
): Promise<{ writer: NamespaceWriter; chunker: Chunker }> {
  const chunker = sealedChunker(record.seal, given);
  const expected = { ...expectedSeal(provider.profile), chunkerId: chunker.id };
  return { writer: await store.namespaces.openWriter(record, expected), chunker };
}

/**
 * Other weights behind the profile's name have an equal fingerprint: only their vectors tell, and these must not meet the stored ones.
 * @param minimum lowest cosine between a stored probe vector and today's
 * @throws EmbError EMB_WITNESS_FAILED, and what the provider throws
 */
export async function checkWitness(
  { provider, signal }: Pick<TargetSetup, "provider" | "signal">,
  { namespace, seal }: NamespaceRecord,
  minimum: number,
): Promise<void> {
  const stored = seal.witness.map(({ vector }) => vector);
  const { ok, minCosine } = decideWitness(stored, await embedProbes(provider, seal.witness, signal), minimum);
  if (!ok) throw witnessFailed({ namespace, profile: provider.profile.name, minCosine, minimum });
}
