import { describe, expect, it } from "vitest";
import { PROVIDER_IDS, PROVIDERS, providerVariables, resolveProvider, unknownProvider } from "./provider-names.js";

describe("provider names", () => {
  it("lists the adapters of design.md section 6", () => {
    expect(PROVIDER_IDS).toEqual([
      "jina-ai",
      "bge-m3-service",
      "openai",
      "openai-compatible",
      "cohere",
      "voyage",
      "tei",
      "ollama",
      "sentence-transformers",
      "use-lite",
    ]);
  });

  it.each<[string, string | null]>([
    ...PROVIDER_IDS.map((id) => [id, id] satisfies [string, string]),
    ["bge-m3", "bge-m3-service"],
    ["bge_m3", "bge-m3-service"],
    ["bge_m3_service", "bge-m3-service"],
    ["st_minilm", "sentence-transformers"],
    ["st-minilm", "sentence-transformers"],
    ["sentence_transformers", "sentence-transformers"],
    ["huggingface", "sentence-transformers"],
    ["hf", "sentence-transformers"],
    ["HF", null],
    ["", null],
    ["constructor", null],
  ])("resolves %j to %j", (name, id) => {
    expect(resolveProvider(name)).toBe(id);
  });

  it("gives no spelling to two providers", () => {
    const spellings = PROVIDER_IDS.flatMap((id) => [id, ...PROVIDERS[id].aliases]);
    expect(new Set(spellings).size).toBe(spellings.length);
  });

  it("names the variables of a provider", () => {
    expect(providerVariables("jina-ai")).toEqual({ url: "JINA_API_URL", key: "JINA_API_KEY" });
    expect(providerVariables("ollama")).toEqual({ url: "OLLAMA_URL" });
    expect(providerVariables("use-lite")).toEqual({});
  });

  it("lists the known ones for an unknown one", () => {
    const error = unknownProvider("cohre");
    expect([error.code, error.message, error.exitCode]).toEqual([
      "EMB_PROVIDER_UNKNOWN",
      'provider "cohre" is not known',
      78,
    ]);
    expect(error.hint).toBe(`Did you mean "cohere"? Known providers: ${PROVIDER_IDS.join(", ")}.`);
  });
});
