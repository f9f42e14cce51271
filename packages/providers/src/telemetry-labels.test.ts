import { expect, it } from "vitest";
import { profileOf } from "./profile.test-data.js";
import { telemetryLabels } from "./telemetry-labels.js";

it("names every label of design.md section 6", () => {
  const context = { profile: profileOf(), namespace: "docs_st_minilm", namespaceMode: "profile" } as const;
  expect(telemetryLabels({ ...context, strictMode: true, swappable: false, experiment: null })).toEqual({
    embedding_profile: "st_minilm",
    embedding_provider: "sentence-transformers",
    embedding_model: "sentence-transformers/all-MiniLM-L6-v2",
    embedding_dims: 384,
    embedding_namespace: "docs_st_minilm",
    embedding_namespace_mode: "profile",
    embedding_strict_mode: true,
    embedding_profile_swappable: false,
    embedding_profile_experiment: "",
  });
  const labels = telemetryLabels({ ...context, strictMode: false, swappable: true, experiment: "st_minilm" });
  expect(labels.embedding_profile_experiment).toBe("st_minilm");
});
