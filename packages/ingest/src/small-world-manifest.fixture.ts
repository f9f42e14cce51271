import { parseManifest, type Profile } from "@emb/manifest";

const profileText = (name: string, version = name) => `
  ${name}:
    provider: sentence-transformers
    model_id: sentence-transformers/all-MiniLM-L6-v2
    version: ${version}
    precision: int8
    pooling: mean
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface, model_id: sentence-transformers/all-MiniLM-L6-v2 }
    capabilities: { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
    requirements: []
    limits: { max_input_tokens: 256, max_batch_items: 32 }
    price_per_million_tokens: 2
`;
/** Profiles of one model under two versions, so that they are two vector spaces to emb; `again` is in the space of `one`. */
const manifestOf = (space: string): string =>
  `profiles:${profileText("one", `one-${space}`)}${profileText("two", `two-${space}`)}${profileText("again", `one-${space}`)}`;

/** @param space what sets the vector spaces of one world's bases apart */
export function smallWorldProfile(name: string, space: string): Profile {
  const reading = parseManifest(manifestOf(space), { file: "manifest.yaml" });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.manifest.profiles.get(name)!;
}
