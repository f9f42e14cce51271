import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MAX_NAMESPACE_LENGTH,
  NAMESPACE_MODES,
  namespaceName,
  namespaceSuffix,
  slug,
  suffixCollisions,
} from "./namespace.js";

const profile = {
  name: "st_minilm",
  version: "all-MiniLM-L6-v2-int8",
  modelId: "sentence-transformers/all-MiniLM-L6-v2",
};

describe("slug", () => {
  it.each([
    ["st_minilm", "st_minilm"],
    ["sentence-transformers/all-MiniLM-L6-v2", "sentence_transformers_all_minilm_l6_v2"],
    ["--A  b__C--", "a_b_c"],
    ["v3.5", "v3_5"],
    ["Zürich", "z_rich"],
    ["模型", "xc98e118e"],
    ["---", "xcb3f91d5"],
  ])("of %j is %j", (text, expected) => {
    expect(slug(text)).toBe(expected);
  });

  it("is idempotent and never empty", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(slug(slug(text))).toBe(slug(text));
        expect(slug(text)).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
      }),
    );
  });
});

describe("namespaceName", () => {
  it.each([
    ["docs", "none", { base: "docs", suffix: "", namespace: "docs" }],
    ["docs", "profile", { base: "docs", suffix: "st_minilm", namespace: "docs_st_minilm" }],
    ["docs", "version", { base: "docs", suffix: "all_minilm_l6_v2_int8", namespace: "docs_all_minilm_l6_v2_int8" }],
    [
      "docs",
      "model",
      {
        base: "docs",
        suffix: "sentence_transformers_all_minilm_l6_v2",
        namespace: "docs_sentence_transformers_all_minilm_l6_v2",
      },
    ],
    ["docs_st_minilm", "profile", { base: "docs_st_minilm", suffix: "st_minilm", namespace: "docs_st_minilm" }],
    ["docs_st_minilm", "none", { base: "docs_st_minilm", suffix: "", namespace: "docs_st_minilm" }],
    ["st_minilm", "profile", { base: "st_minilm", suffix: "st_minilm", namespace: "st_minilm_st_minilm" }],
    ["My-docs", "profile", { base: "My-docs", suffix: "st_minilm", namespace: "My-docs_st_minilm" }],
  ] as const)("of base %s in mode %s", (base, mode, expected) => {
    expect(namespaceName({ base, profile, mode })).toEqual(expected);
  });

  it("keeps a name that just fits and shortens the next", () => {
    const suffix = "_st_minilm";
    const fits = "b".repeat(MAX_NAMESPACE_LENGTH - suffix.length);
    expect(namespaceName({ base: fits, profile, mode: "profile" }).namespace).toBe(fits + suffix);
    const long = namespaceName({ base: `${fits}b`, profile, mode: "profile" });
    expect(long.namespace).toBe(`${"b".repeat(42)}_3fc0780c370b`);
    expect([long.namespace.length, long.suffix, long.base]).toEqual([55, "st_minilm", `${fits}b`]);
  });

  it("keeps long names apart that begin alike", () => {
    const start = "b".repeat(80);
    const names = ["1", "2"].flatMap((end) =>
      (["none", "profile", "version"] as const).map(
        (mode) => namespaceName({ base: start + end, profile, mode }).namespace,
      ),
    );
    expect(new Set(names).size).toBe(6);
  });

  const base = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,90}$/);
  const anyProfile = fc.record({
    name: fc.string({ minLength: 1 }),
    version: fc.string({ minLength: 1 }),
    modelId: fc.string({ minLength: 1, maxLength: 80 }),
  });
  it("is idempotent, stable and short enough", () => {
    fc.assert(
      fc.property(
        base,
        anyProfile,
        fc.constantFrom(...NAMESPACE_MODES),
        fc.integer({ min: 20, max: 63 }),
        (text, any, mode, maxLength) => {
          const once = namespaceName({ base: text, profile: any, mode, maxLength });
          expect(namespaceName({ base: once.namespace, profile: any, mode, maxLength }).namespace).toBe(once.namespace);
          expect(once.namespace.length).toBeLessThanOrEqual(maxLength);
          expect(once.suffix).toBe(namespaceSuffix(any, mode));
        },
      ),
    );
  });

  it.each(["", " docs", "do cs", "_docs", "dócs", "a/b", "a;b"])("refuses the base %j", (bad) => {
    expect(() => namespaceName({ base: bad, profile, mode: "profile" })).toThrow(
      expect.objectContaining({ code: "EMB_USAGE" }),
    );
  });
});

describe("suffixCollisions", () => {
  const fp32 = { ...profile, name: "st_minilm_fp32", version: "all-MiniLM-L6-v2-fp32" };
  it.each([
    ["none", []],
    ["profile", []],
    ["version", []],
    ["model", [{ suffix: "sentence_transformers_all_minilm_l6_v2", profiles: ["st_minilm", "st_minilm_fp32"] }]],
  ] as const)("in mode %s", (mode, expected) => {
    expect(suffixCollisions([profile, fp32, { name: "c", version: "c", modelId: "c" }], mode)).toEqual(expected);
  });
});
