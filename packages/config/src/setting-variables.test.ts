import { describe, expect, it } from "vitest";
import { misspeltVariables, SETTING_VARIABLES } from "./setting-variables.js";

describe("misspeltVariables", () => {
  it.each([
    ["EMBEDDING_PROFILE", "EMBEDDINGS_PROFILE"],
    ["EMBEDDING_PROFILES", "EMBEDDINGS_PROFILE"],
    ["EMBEDDINGS_PROFILES_PATH", "EMBEDDING_PROFILES_PATH"],
    ["EMBEDDING_PROFILE_SWAPABLE", "EMBEDDING_PROFILE_SWAPPABLE"],
    ["EMBEDDING_SWAPPABLE", "EMBEDDING_PROFILE_SWAPPABLE"],
    ["EMBEDDINGS_EXPERIMENT", "EMBEDDING_PROFILE_EXPERIMENT"],
    ["EMB_STRICT_MODE", "EMBEDDING_STRICT_MODE"],
    ["EMBEDDING_NAMSEPACE_MODE", "EMBEDDING_NAMESPACE_MODE"],
    ["EMB_MODEL_DIR", "EMB_MODELS_DIR"],
    ["EMB_EXPERIMENT", "EMBEDDING_PROFILE_EXPERIMENT"],
    ["EMB_PROFILE_EXPERIMENT", "EMBEDDING_PROFILE_EXPERIMENT"],
    ["EMB_SWAPPABLE", "EMBEDDING_PROFILE_SWAPPABLE"],
    ["EMB_PROFILE", "EMBEDDINGS_PROFILE"],
    ["EMB_PROFILES_PATH", "EMBEDDING_PROFILES_PATH"],
    ["EMB_CONFIG", "EMB_CONFIG_DIR"],
    ["EMB_DATA", "EMB_DATA_DIR"],
    ["EMBEDDING_STRICT", "EMBEDDING_STRICT_MODE"],
    ["EMB_NAMESPACE", "EMBEDDING_NAMESPACE_MODE"],
    ["EMB_ENV", "ENV"],
    ["EMB_DATABASE_URL", "DATABASE_URL"],
    ["Embeddings_Profile", "EMBEDDINGS_PROFILE"],
  ])("%s means %s", (name, meant) => {
    expect(misspeltVariables({ [name]: "x" }).map(({ hint }) => hint)).toEqual([`Rename it to ${meant}, or unset it.`]);
  });

  it.each([
    "EMBEDDING_MODEL",
    "EMBEDDING_PROVIDER",
    "EMBEDDING_API_KEY",
    "EMBEDDING_DIMS",
    "EMB_TOKEN",
    "EMB_PORT",
    "EMB_API_KEY",
    "EMBEDDING_SERVICE_URL",
    "EMBEDDINGS_MODEL",
    "EMBER_HOME",
    "DATABASE_URI",
    "PATH",
  ])("%s belongs to others", (name) => {
    expect(misspeltVariables({ [name]: "x" })).toEqual([]);
  });

  it("leaves the right spellings and blank variables alone", () => {
    expect(
      misspeltVariables({
        ...Object.fromEntries(SETTING_VARIABLES.map((name) => [name, "x"])),
        EMBEDDING_PROFILE: " ",
      }),
    ).toEqual([]);
  });
});
