import { EmbError } from "./errors.js";
import type { Side } from "./profile.js";

/**
 * Least cosine similarity between the vector a probe text got when the namespace was made and the one it gets now.
 * Source: design.md section 8. Hosted models drift by less than 1e-4 between calls; other weights under one name fall far below.
 */
export const WITNESS_MIN_COSINE = 0.999;

/**
 * Texts that stand for a vector space: prose, a question, code, numbers and another script, so that a changed tokenizer, pooling or
 * prompt moves at least one of them. Part of every seal; changing one makes no old seal invalid, since seals keep their own texts.
 */
export const PROBE_TEXTS: Readonly<Record<"document" | "query", readonly string[]>> = {
  document: [
    "The harbour master closes the north quay when the wind passes twenty metres a second.",
    "const total = rows.reduce((sum, row) => sum + row.price * row.count, 0);",
    "Zürich, 14. März: 3 von 12 Anträgen wurden abgelehnt.",
  ],
  query: ["who decides that the quay is closed in a storm?", "sum of price times count"],
};

/** Cosine of two vectors of equal length; 0 when one of them is all zeros, NaN never. */
export function cosineSimilarity(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i] ?? 0;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  const norm = Math.sqrt(aa * bb);
  return norm > 0 ? dot / norm : 0;
}

/**
 * Whether the model of today is the one that made the namespace. Pure. Fails closed: no probes, another count or another width is a failure.
 * @returns the lowest cosine over all probes, which says how far off the model is
 */
export function decideWitness(
  stored: readonly Float32Array[],
  seen: readonly Float32Array[],
  minimum: number = WITNESS_MIN_COSINE,
): { ok: boolean; minCosine: number } {
  if (stored.length === 0 || stored.length !== seen.length) return { ok: false, minCosine: 0 };
  let minCosine = 1;
  for (const [i, vector] of stored.entries()) {
    const now = seen[i]!;
    minCosine = Math.min(minCosine, vector.length === now.length ? cosineSimilarity(vector, now) : 0);
  }
  return { ok: minCosine >= minimum, minCosine };
}

/** The error of a witness that failed: whoever meets it neither reads nor writes. */
export const witnessFailed = (seen: {
  namespace: string;
  profile: string;
  minCosine: number;
  minimum: number;
}): EmbError =>
  new EmbError(
    "EMB_WITNESS_FAILED",
    `namespace ${seen.namespace}: expected the model of profile ${seen.profile} to repeat the probe vectors kept in its seal ` +
      `(cosine >= ${seen.minimum}), lowest seen ${seen.minCosine.toFixed(4)}`,
    {
      hint: "The model behind this profile's name has changed: give the new one a profile name of its own and re-ingest beside the old namespace.",
      context: { namespace: seen.namespace, profile: seen.profile, cosine: seen.minCosine },
    },
  );

/** The part of an embedding provider that a witness needs. Shapes and errors as in @emb/providers. */
export interface ProbeEmbedder {
  readonly profile: { readonly dims: number };
  embedDocuments(texts: readonly string[], options: { signal: AbortSignal }): Promise<{ readonly dense: Float32Array }>;
  embedQueries(texts: readonly string[], options: { signal: AbortSignal }): Promise<{ readonly dense: Float32Array }>;
}

/** Vectors that the model gives the probes now, in the order of the probes. At most one call for each side. */
export async function embedProbes(
  provider: ProbeEmbedder,
  probes: readonly { readonly side: Side; readonly text: string }[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const { dims } = provider.profile;
  const vectors: Float32Array[] = probes.map(() => new Float32Array(0));
  for (const side of ["document", "query"] as const) {
    const places = probes.flatMap((probe, place) => (probe.side === side ? [place] : []));
    if (places.length === 0) continue;
    const texts = places.map((place) => probes[place]!.text);
    const { dense } =
      side === "document"
        ? await provider.embedDocuments(texts, { signal })
        : await provider.embedQueries(texts, { signal });
    for (const [row, place] of places.entries()) vectors[place] = dense.subarray(row * dims, (row + 1) * dims);
  }
  return vectors;
}
