import { parseManifest, type Profile } from "@emb/manifest";
import { describe, expect, it } from "vitest";
import { missingRequirements } from "./requirements.js";

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
});
