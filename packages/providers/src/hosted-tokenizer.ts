import type { Profile } from "@emb/manifest";
import type { ProviderOptions } from "./adapter.js";
import { boundByBytes } from "./byte-bound.js";
import { contradiction } from "./local-model.js";
import { readTokenizerJson } from "./model-folder.js";
import { isTiktokenEncoding, loadTiktoken, TIKTOKEN_ENCODINGS } from "./tiktoken.js";
import { createTokenEncoder } from "./token-encoder.js";
import { exactly, type TokenCount, type Tokenizer } from "./tokenizer.js";

/**
 * Tokenizer of a model that runs elsewhere, as well as this machine can: OpenAI's by the package gpt-tokenizer, others by
 * `<modelsDir>/<tokenizer.model_id>/tokenizer.json` when it is there; without it, an upper bound. What a service itself puts in front
 * of a text is not counted.
 * @throws EmbError EMB_MANIFEST_INVALID for an unknown tiktoken encoding, EMB_MODEL_UNAVAILABLE when a package is missing or a
 *   tokenizer.json is none
 */
export async function hostedTokenizer(profile: Profile, options: ProviderOptions): Promise<Tokenizer> {
  const prompt = profile.prompts.document;
  const count = await counterOf(profile, options.modelsDir);
  return { countTokens: (text) => count(prompt + text) };
}

async function counterOf(profile: Profile, modelsDir: string | undefined): Promise<(text: string) => TokenCount> {
  const { backend, modelId } = profile.tokenizer;
  if (backend === "tiktoken") {
    const encoding = isOpenAiEmbedding(modelId) ? "cl100k_base" : modelId;
    if (isTiktokenEncoding(encoding)) return loadTiktoken(encoding);
    const known = TIKTOKEN_ENCODINGS.join(", ");
    throw contradiction(
      profile,
      `says tokenizer "${modelId}", tiktoken has ${known}`,
      `Set tokenizer.model_id to one of them.`,
    );
  }
  const file = backend === "huggingface" ? await readTokenizerJson(profile, modelId, modelsDir) : null;
  if (file === null) return boundByBytes;
  const encoder = await createTokenEncoder(file.json);
  return (text) => exactly(encoder.count(text));
}

/** A profile may leave tokenizer.model_id to its model. Source: tiktoken/model.py of openai/tiktoken, read 2026-11. */
const isOpenAiEmbedding = (modelId: string): boolean => /^text-embedding-(3-|ada-002$)/.test(modelId);
