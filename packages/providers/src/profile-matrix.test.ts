import { expect, it } from "vitest";
import { profileOf } from "./profile.test-data.js";
import { profileMatrix } from "./profile-matrix.js";

it("shows each profile and what it still needs", () => {
  const hosted = profileOf({ name: "jina_v3", provider: "jina-ai", requirements: ["JINA_API_KEY", "OTHER", "SET"] });
  expect(profileMatrix([profileOf(), hosted], { SET: "x", OTHER: "  " })).toEqual([
    {
      name: "st_minilm",
      provider: "sentence-transformers",
      model: "sentence-transformers/all-MiniLM-L6-v2",
      dims: 384,
      similarity: "cosine",
      tokenizer: "huggingface:sentence-transformers/all-MiniLM-L6-v2",
      capabilities: ["supports_dense", "normalized_output"],
      missing: [],
    },
    expect.objectContaining({ name: "jina_v3", provider: "jina-ai", missing: ["JINA_API_KEY", "OTHER"] }),
  ]);
});
