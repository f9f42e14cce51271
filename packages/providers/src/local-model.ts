import { readFile } from "node:fs/promises";
import { z } from "zod";
import { EmbError, type Profile } from "@emb/manifest";
import type { ProviderOptions } from "./adapter.js";
import { locateBundledMiniLm } from "./bundled-minilm.js";
import { locateModelFolder } from "./model-folder.js";

/** A BERT-like model on this machine. */
export interface LocalModel {
  readonly config: ModelConfig;
  /** Parsed tokenizer.json. */
  readonly tokenizerJson: unknown;
  /** The ONNX file: checked bytes, or a path when ONNX Runtime must find files beside it. */
  loadOnnx(): Promise<Uint8Array | string>;
}

const ModelConfigJson = z
  .object({
    hidden_size: z.int().min(1),
    num_hidden_layers: z.int().min(1),
    num_attention_heads: z.int().min(1),
    max_position_embeddings: z.int().min(1),
    layer_norm_eps: z.number().min(0).default(1e-12), // Source: transformers BertConfig
  })
  .transform((json) => ({
    hiddenSize: json.hidden_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    maxPositions: json.max_position_embeddings,
    layerNormEpsilon: json.layer_norm_eps,
  }));
export type ModelConfig = z.output<typeof ModelConfigJson>;

/**
 * Finds the files of a sentence-transformers profile and checks that the profile fits them.
 * @throws EmbError EMB_MODEL_UNAVAILABLE when the model is nowhere, EMB_MANIFEST_INVALID when the profile contradicts it
 */
export async function locateModel(profile: Profile, options: ProviderOptions): Promise<LocalModel> {
  const model = (await locateBundledMiniLm(profile, options)) ?? (await locateModelFolder(profile, options.modelsDir));
  if (model === null) {
    throw new EmbError("EMB_MODEL_UNAVAILABLE", `The model "${profile.modelId}" is not on this machine.`, {
      hint:
        options.modelsDir === undefined
          ? `Set EMB_MODELS_DIR to a folder that holds ${profile.modelId}/ with config.json, tokenizer.json and onnx/model.onnx.`
          : `Put config.json, tokenizer.json and onnx/model.onnx into ${options.modelsDir}/${profile.modelId}/.`,
      context: { model: profile.modelId },
    });
  }
  const { hiddenSize, maxPositions } = model.config;
  if (profile.dims !== hiddenSize) {
    throw contradiction(profile, `says dims ${profile.dims}, the model has ${hiddenSize}`, `Set dims: ${hiddenSize}.`);
  }
  const { maxInputTokens } = profile.limits;
  if (maxInputTokens > maxPositions) {
    const problem = `says max_input_tokens ${maxInputTokens}, the model reads at most ${maxPositions}`;
    throw contradiction(profile, problem, `Set limits.max_input_tokens to ${maxPositions} or less.`);
  }
  return model;
}

export const contradiction = (profile: Profile, problem: string, hint: string): EmbError =>
  new EmbError("EMB_MANIFEST_INVALID", `Profile "${profile.name}" ${problem}.`, {
    hint,
    context: { profile: profile.name, model: profile.modelId },
  });

/** @throws EmbError EMB_MODEL_UNAVAILABLE when the file is not JSON of a BERT-like model */
export async function readModelConfig(path: string): Promise<ModelConfig> {
  const parsed = ModelConfigJson.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new EmbError("EMB_MODEL_UNAVAILABLE", `${path} does not describe a BERT-like model.`, {
    hint: "Use a model in Hugging Face layout whose config.json has hidden_size and max_position_embeddings.",
    cause: parsed.error,
  });
}

/** @throws EmbError EMB_MODEL_UNAVAILABLE when the file is missing or not JSON */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new EmbError("EMB_MODEL_UNAVAILABLE", `${path} could not be read as JSON.`, {
      hint: "Fetch the model's files again.",
      cause,
    });
  }
}
