import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseManifest, suffixCollisions } from "@emb/manifest";
import { describe, expect, it } from "vitest";
import { jsonSchemas } from "./json-schemas.js";
import { loadSettings } from "./load-settings.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const text = (path: string) => readFileSync(root + path, "utf8");

describe("config/ of this repository", () => {
  const reading = parseManifest(text("config/embedding_profiles.yaml"), { file: "config/embedding_profiles.yaml" });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const { manifest, warnings } = reading;

  it("ships these profiles", () => {
    expect(
      [...manifest.profiles.values()].map(({ name, provider, dims, requirements }) => [
        name,
        provider,
        dims,
        ...requirements,
      ]),
    ).toEqual([
      ["st_minilm", "sentence-transformers", 384],
      ["st_minilm_fp32", "sentence-transformers", 384],
      ["use_lite", "use-lite", 512],
      ["jina_v3", "jina-ai", 1024, "JINA_API_KEY"],
      ["bge_m3", "bge-m3-service", 1024, "BGE_M3_API_URL"],
      ["openai_3_small", "openai", 1536, "OPENAI_API_KEY"],
      ["voyage", "voyage", 1024, "VOYAGE_API_KEY"],
      ["cohere", "cohere", 1024, "COHERE_API_KEY"],
      ["tei_e5_small", "tei", 384, "TEI_URL"],
      ["ollama_nomic", "ollama", 768, "OLLAMA_URL"],
    ]);
  });

  it("warns of one collision only: the two precisions of MiniLM in mode model", () => {
    expect(suffixCollisions(manifest.profiles.values(), "version")).toEqual([]);
    expect(warnings.map(({ message }) => message)).toEqual([
      'st_minilm, st_minilm_fp32 share the namespace suffix "sentence_transformers_all_minilm_l6_v2" in namespace mode model',
    ]);
  });

  it.each([
    ["development", "st_minilm"],
    ["test", "st_minilm"],
    ["staging", "jina_v3"],
    ["production", "jina_v3"],
  ])("starts %s from %s", (environment, profile) => {
    const settings = loadSettings({ env: { ENV: environment, NODE_ENV: "production" }, cwd: root });
    expect([settings.active?.name, settings.warnings]).toEqual([profile, []]);
  });

  it("refers each file to a schema that equals the generated one", () => {
    const schemas = jsonSchemas();
    expect(readdirSync(`${root}config/schemas`).toSorted()).toEqual(Object.keys(schemas).toSorted());
    for (const [name, schema] of Object.entries(schemas)) {
      expect(`${JSON.stringify(schema, null, 2)}\n`, "run `pnpm schemas`").toBe(text(`config/schemas/${name}`));
    }
    for (const file of readdirSync(`${root}config`).filter((name) => name.endsWith(".yaml"))) {
      const schema = file === "embedding_profiles.yaml" ? "embedding_profiles" : "environment";
      expect(text(`config/${file}`).split("\n")[0]).toBe(
        `# yaml-language-server: $schema=./schemas/${schema}.schema.json`,
      );
    }
  });
});
