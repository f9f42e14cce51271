import { describe, expect, it } from "vitest";
import { PROVIDER_IDS } from "@emb/manifest";
import { createProvider, createTokenizer } from "./factory.js";
import { profileOf } from "./profile.test-data.js";

const options = { env: {}, dataDir: "/nowhere" };

describe("the factory", () => {
  it.each(PROVIDER_IDS)("has an adapter for %s", async (provider) => {
    const tokenizer = await createTokenizer(profileOf({ provider }), options).catch((error: unknown) => error);
    expect(tokenizer).not.toMatchObject({ code: "EMB_PROVIDER_UNKNOWN" });
  });

  it("lists the known providers for one that nobody knows", async () => {
    const refused = { code: "EMB_PROVIDER_UNKNOWN", hint: expect.stringContaining("jina-ai, bge-m3-service") };
    await expect(createProvider(profileOf({ provider: "word2vec" }), options)).rejects.toMatchObject(refused);
    await expect(createTokenizer(profileOf({ provider: "word2vec" }), options)).rejects.toMatchObject(refused);
  });

  it("names every requirement that is missing", async () => {
    const profile = profileOf({ requirements: ["A_KEY", "B_KEY"] });
    await expect(createProvider(profile, { ...options, env: { B_KEY: " " } })).rejects.toMatchObject({
      code: "EMB_REQUIREMENT_MISSING",
      message: 'Profile "st_minilm" needs A_KEY, B_KEY.',
    });
  });

  it.each([
    ["dims that the model lacks", profileOf({ dims: 512 }), "Set dims: 384."],
    ["a limit beyond its positions", profileOf({ limits: { maxInputTokens: 513 } }), "512 or less"],
    ["an unknown precision", profileOf({ precision: "int4" }), "int8 or fp32"],
    ["an unknown pooling", profileOf({ pooling: "max" }), "mean or cls"],
    ["a pooling it is not made for", profileOf({ pooling: "cls" }), "Set pooling: mean."],
  ])("refuses a profile with %s", async (_, profile, hint) => {
    await expect(createProvider(profile, options)).rejects.toMatchObject({
      code: "EMB_MANIFEST_INVALID",
      hint: expect.stringContaining(hint),
    });
  });

  it("says where a model that is nowhere should be", async () => {
    const profile = profileOf({ modelId: "acme/encoder" });
    await expect(createProvider(profile, options)).rejects.toMatchObject({
      code: "EMB_MODEL_UNAVAILABLE",
      hint: expect.stringContaining("Set EMB_MODELS_DIR"),
    });
    await expect(createProvider(profile, { ...options, modelsDir: "/models" })).rejects.toMatchObject({
      code: "EMB_MODEL_UNAVAILABLE",
      hint: "Put config.json, tokenizer.json and onnx/model.onnx into /models/acme/encoder/.",
    });
  });

  it.each(["../outside", "..", ".", "/etc"])("refuses the model_id %s", async (modelId) => {
    const profile = profileOf({ modelId, precision: "fp32" });
    await expect(createProvider(profile, { ...options, modelsDir: "/models" })).rejects.toMatchObject({
      code: "EMB_MANIFEST_INVALID",
    });
  });
});
