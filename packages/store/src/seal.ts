import type { NamespaceMode, Side, Similarity, Storage } from "@emb/manifest";

/** A probe text with the vector its profile gave it when the namespace was made. */
export interface WitnessProbe {
  readonly side: Side;
  readonly text: string;
  /** `dims` finite float32. */
  readonly vector: Float32Array;
}

/** The record that binds a namespace to one vector space. Written once, when the namespace is made; never changed. */
export interface Seal {
  /** Hex SHA-256 of what makes two vectors comparable. A reader needs an equal one. */
  readonly spaceId: string;
  /** Hex SHA-256 of the space and of how the vectors are stored. A writer needs an equal one. */
  readonly fingerprint: string;
  /** Names the chunking rules and their bounds. A writer needs an equal one. */
  readonly chunkerId: string;
  readonly profile: string;
  readonly provider: string;
  readonly modelId: string;
  readonly dims: number;
  readonly similarity: Similarity;
  readonly storage: Storage;
  readonly witness: readonly WitnessProbe[];
}

/**
 * Where a namespace stands. The catalogue's key is (base, suffix), so the base `docs_v2` and the base `docs` with suffix `v2`
 * never meet, though both would be called `docs_v2`.
 */
export interface NamespaceAddress {
  readonly base: string;
  /** Empty in mode `none`. */
  readonly suffix: string;
  /** Stored with the base by the first namespace; a process in another mode is refused. */
  readonly mode: NamespaceMode;
  /** The name people see: base, or base_suffix. */
  readonly namespace: string;
}
