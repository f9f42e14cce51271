/**
 * A profile of the MiniLM that runs in this process, as YAML of a manifest's `profiles`: a real model for tests, which needs no network.
 * @param profile.version another one is another vector space to emb. @defaultValue the name
 * @param profile.price in USD for a million tokens. @defaultValue none
 */
export const miniLmProfileYaml = ({
  name,
  version = name,
  price,
}: {
  name: string;
  version?: string;
  price?: number;
}): string => `  ${name}:
    provider: sentence-transformers
    model_id: sentence-transformers/all-MiniLM-L6-v2
    version: ${version}
    precision: int8
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface, model_id: sentence-transformers/all-MiniLM-L6-v2 }
    capabilities: { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
    requirements: []
    limits: { max_input_tokens: 256, max_batch_items: 32 }
${price === undefined ? "" : `    price_per_million_tokens: ${price}\n`}`;
