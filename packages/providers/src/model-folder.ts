import { access } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import type { Profile } from "@emb/manifest";
import { contradiction, readJson, readModelConfig, type LocalModel } from "./local-model.js";

/**
 * A model in Hugging Face layout: `<modelsDir>/<model_id>/` with config.json, tokenizer.json and onnx/model.onnx. Null when
 * there is none. Only the unquantised model.onnx is read: published int8 files scale activations over the whole batch,
 * and a text's vector would depend on its batch-mates.
 * @throws EmbError EMB_MANIFEST_INVALID for a model_id that leaves the folder, or a precision other than fp32
 */
export async function locateModelFolder(profile: Profile, modelsDir: string | undefined): Promise<LocalModel | null> {
  if (modelsDir === undefined) return null;
  const folder = folderOf(profile, profile.modelId, modelsDir);
  const onnxPath = join(folder, "onnx", "model.onnx");
  if (!(await exists(onnxPath))) return null;
  if (profile.precision !== null && profile.precision !== "fp32") {
    const problem = `says precision "${profile.precision}", onnx/model.onnx is read as fp32`;
    throw contradiction(profile, problem, "Set precision: fp32.");
  }
  return {
    config: await readModelConfig(join(folder, "config.json")),
    tokenizerJson: await readJson(join(folder, "tokenizer.json")),
    loadOnnx: () => Promise.resolve(onnxPath),
  };
}

/**
 * Parsed tokenizer.json of a model in Hugging Face layout; null when it is not there.
 * @throws EmbError EMB_MANIFEST_INVALID for a model_id that leaves the folder, EMB_MODEL_UNAVAILABLE when it is not JSON
 */
export async function readTokenizerJson(
  profile: Profile,
  modelId: string,
  modelsDir: string | undefined,
): Promise<{ readonly json: unknown } | null> {
  if (modelsDir === undefined) return null;
  const path = join(folderOf(profile, modelId, modelsDir), "tokenizer.json");
  return (await exists(path)) ? { json: await readJson(path) } : null;
}

function folderOf(profile: Profile, modelId: string, modelsDir: string): string {
  const folder = resolve(modelsDir, modelId);
  if (folder === resolve(modelsDir) || relative(modelsDir, folder).split(sep)[0] === "..") {
    throw contradiction(profile, `has a model_id that is no folder inside ${modelsDir}`, "Use the model's plain name.");
  }
  return folder;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
