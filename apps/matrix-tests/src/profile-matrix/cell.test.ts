import { describe, expect, it } from "vitest";
import { NAMESPACE_MODES, parseManifest, type Profile } from "@emb/manifest";
import { cellName, cellsOf, decideCell, decideNeighbour, matrixOff, missedCells } from "./cell.js";

const written = (name: string, provider: string, more: string) => `
  ${name}:
    provider: ${provider}
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
    limits: { max_input_tokens: 256, max_batch_items: 32 }
    ${more.replaceAll("; ", "\n    ")}`;
const reading = parseManifest(
  `profiles:${[
    written("small", "hf", "model_id: mini; version: mini-int8; requirements: []"),
    written("full", "hf", "model_id: mini; version: mini-fp32; requirements: []"),
    written("lite", "use_lite", "model_id: lite; requirements: []"),
    written("hosted", "jina", "model_id: jina-v3; requirements: [JINA_API_KEY, JINA_API_URL]"),
  ].join("")}\n`,
  { file: "manifest.yaml" },
);
if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
const profile = (name: string): Profile => reading.manifest.profiles.get(name)!;
const [small, full, lite, hosted] = [profile("small"), profile("full"), profile("lite"), profile("hosted")];

const ON = { RUN_PROFILE_MATRIX_INTEGRATION: "1" };
const KEYS = { JINA_API_KEY: "k", JINA_API_URL: "http://127.0.0.1:1" };

describe("decideCell", () => {
  const off = "RUN_PROFILE_MATRIX_INTEGRATION is not 1";
  it.each([
    ["unset", small, {}, off],
    ["blank", small, { RUN_PROFILE_MATRIX_INTEGRATION: " " }, off],
    ["0", small, { RUN_PROFILE_MATRIX_INTEGRATION: "0" }, off],
    ["true is not 1", small, { RUN_PROFILE_MATRIX_INTEGRATION: "true" }, off],
    ["unset, and requirements missing", hosted, {}, off],
    ["1", small, ON, null],
    ["1 with spaces", small, { RUN_PROFILE_MATRIX_INTEGRATION: " 1 " }, null],
    ["an alias of a provider", lite, ON, null],
    ["every requirement missing", hosted, ON, "missing JINA_API_KEY, JINA_API_URL"],
    ["one requirement blank", hosted, { ...ON, ...KEYS, JINA_API_KEY: " " }, "missing JINA_API_KEY"],
    ["requirements there", hosted, { ...ON, ...KEYS }, null],
  ] satisfies [string, Profile, Record<string, string>, string | null][])("%s", (_name, cellProfile, env, reason) => {
    expect(decideCell(cellProfile, env)).toEqual(reason === null ? { kind: "run" } : { kind: "skip", reason });
    if (matrixOff(env) !== null) expect(matrixOff(env)).toBe(off);
  });
});

describe("cells", () => {
  it("are every profile in every mode, by name", () => {
    expect(cellsOf([small, hosted]).map(cellName)).toEqual(
      ["small", "hosted"].flatMap((name) => NAMESPACE_MODES.map((mode) => `${name} x embedded store x mode ${mode}`)),
    );
  });
});

describe("missedCells", () => {
  const cells = cellsOf([small, full, hosted]);
  const all = new Set(cells.map(cellName));
  const without = (...names: string[]) => new Set([...all].filter((name) => !names.includes(name)));
  const smallNone = "small x embedded store x mode none";
  const fullModel = "full x embedded store x mode model";

  it.each([
    ["everything ran", all, null, []],
    ["only what is not local was skipped", without(...cellsOf([hosted]).map(cellName)), null, []],
    ["one local cell is missing", without(smallNone), null, [smallNone]],
    ["two of two profiles are missing", without(smallNone, fullModel), null, [smallNone, fullModel]],
    ["nothing ran", new Set<string>(), null, cellsOf([small, full]).map(cellName)],
    ["the missing cell was filtered away", without(smallNone), "full", []],
    ["the missing cell was asked for", without(smallNone), "small.*none", [smallNone]],
    [
      "the missing cell was asked for by its whole name",
      without(smallNone),
      `^profile matrix ${smallNone}$`,
      [smallNone],
    ],
    ["an expression that nothing matches", new Set<string>(), "no such test", []],
  ] satisfies [string, Set<string>, string | null, string[]][])("%s", (_name, ran, testNamePattern, missed) => {
    expect(missedCells({ cells, ran, testNamePattern })).toEqual(missed);
  });
});

describe("decideNeighbour", () => {
  const beside = { kind: "beside" };
  const occupied = { kind: "refused", code: "EMB_NAMESPACE_OCCUPIED" };
  const sealed = { kind: "refused", code: "EMB_SEAL_MISMATCH" };
  it.each([
    ["none", full, occupied],
    ["none", lite, occupied],
    ["profile", full, beside],
    ["version", full, beside],
    ["model", full, sealed],
    ["model", lite, beside],
  ] as const)("mode %s", (mode, second, decision) => {
    expect(decideNeighbour(small, second, mode)).toEqual(decision);
    expect(decideNeighbour(second, small, mode)).toEqual(decision);
  });
});
