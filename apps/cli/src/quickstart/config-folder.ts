import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const STAGING = `# The staging environment of this quickstart. Another profile than the baseline needs permission here.
embedding:
  profile: use_lite
store:
  base_namespace: handbook
`;

const MANIFEST = `# Two models that run in this process: no key, no download, no service.
default: use_lite
profiles:
  use_lite:
    description: Universal Sentence Encoder lite, the old model of this story
    provider: use-lite
    model_id: universal-sentence-encoder-lite
    dims: 512
    similarity: cosine
    task: retrieval
    tokenizer: { backend: sentencepiece, model_id: universal-sentence-encoder-lite }
    capabilities:
      { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
    requirements: []
    limits: { max_input_tokens: 256, max_batch_items: 16 }
    price_per_million_tokens: 0
  st_minilm:
    description: all-MiniLM-L6-v2, int8, the candidate
    provider: sentence-transformers
    model_id: sentence-transformers/all-MiniLM-L6-v2
    version: all-MiniLM-L6-v2-int8
    dims: 384
    similarity: cosine
    task: retrieval
    precision: int8
    pooling: mean
    tokenizer: { backend: huggingface, model_id: sentence-transformers/all-MiniLM-L6-v2 }
    capabilities:
      { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
    requirements: []
    limits: { max_input_tokens: 256, max_batch_items: 32 }
    price_per_million_tokens: 0
`;

/** Writes the config folder of the story. Files that are there already are overwritten: the folder is the quickstart's own. */
export async function writeConfigFolder(dir: string): Promise<string> {
  const folder = join(dir, "config");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "staging.yaml"), STAGING);
  await writeFile(join(folder, "embedding_profiles.yaml"), MANIFEST);
  return folder;
}
