import { isEmbError, parseManifest, type Profile } from "@emb/manifest";
import { describe, expect, it } from "vitest";
import { missingRequirements, readProviderAccess } from "./requirements.js";

const reading = parseManifest(
  `profiles:
  hosted: { provider: jina-ai, model_id: m, dims: 4, similarity: cosine, tokenizer: { backend: x }, capabilities: {}, requirements: [JINA_API_KEY, EXTRA], service_url: "https://manifest.test" }
  local: { provider: hf, model_id: m, dims: 4, similarity: cosine, tokenizer: { backend: x }, capabilities: {} }
`,
  { file: "m.yaml" },
);
const profile = (name: string): Profile => {
  const found = reading.ok ? reading.manifest.profiles.get(name) : undefined;
  if (found === undefined) throw new Error(name);
  return found;
};

describe("requirements", () => {
  it.each([
    ["hosted", {}, ["JINA_API_KEY", "EXTRA"]],
    ["hosted", { JINA_API_KEY: "k", EXTRA: " " }, ["EXTRA"]],
    ["hosted", { JINA_API_KEY: "k", EXTRA: "x" }, []],
    ["local", {}, []],
  ])("of %s under %j miss %j", (name, env, missing) => {
    expect(missingRequirements(profile(name), env)).toEqual(missing);
  });

  it.each([
    ["hosted", { JINA_API_KEY: " k ", EXTRA: "x" }, { serviceUrl: "https://manifest.test", apiKey: "k" }],
    [
      "hosted",
      { JINA_API_KEY: "k", EXTRA: "x", JINA_API_URL: "http://localhost:1" },
      { serviceUrl: "http://localhost:1", apiKey: "k" },
    ],
    ["local", { JINA_API_KEY: "k" }, { serviceUrl: null, apiKey: null }],
  ])("give access to %s under %j", (name, env, access) => {
    expect(readProviderAccess(profile(name), env)).toEqual(access);
  });

  it("are reported all at once, without any value", () => {
    try {
      readProviderAccess(profile("hosted"), { JINA_API_KEY: "", JINA_API_URL: "hunter2" });
      expect.unreachable();
    } catch (error) {
      if (!isEmbError(error)) throw error;
      expect(error.code).toBe("EMB_REQUIREMENT_MISSING");
      expect(error.problems.map(({ code, variable }) => [code, variable])).toEqual([
        ["EMB_REQUIREMENT_MISSING", "JINA_API_KEY"],
        ["EMB_REQUIREMENT_MISSING", "EXTRA"],
        ["EMB_CONFIG_INVALID", "JINA_API_URL"],
      ]);
      expect(JSON.stringify(error.problems) + error.message).not.toContain("hunter2");
    }
  });
});
