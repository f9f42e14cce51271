import { describe, expect, it } from "vitest";
import { decideCompatibility, type Compatibility, type CompatibilityNeeds } from "./compatibility.js";
import { exampleProfile } from "./profile-example.js";
import type { Profile } from "./profile.js";

const from = exampleProfile();
const fp32 = exampleProfile({ name: "st_minilm_fp32", version: "all-MiniLM-L6-v2-fp32", precision: "fp32" });
const served = exampleProfile({ name: "tei", provider: "tei" });
const sameDims = exampleProfile({ name: "e5", modelId: "e5", version: "e5" });

describe("decideCompatibility", () => {
  it.each<[string, Profile, CompatibilityNeeds, Compatibility]>([
    ["itself", from, {}, { result: "REUSE", reasons: ["equal fingerprint"] }],
    [
      "another name for it",
      exampleProfile({ name: "b", description: "x", serviceUrl: "https://b.test" }),
      {},
      { result: "REUSE", reasons: ["equal fingerprint"] },
    ],
    ["itself in mode none", from, { mode: "none" }, { result: "REUSE", reasons: ["equal fingerprint"] }],
    [
      "other weights",
      fp32,
      {},
      {
        result: "REEMBED",
        reasons: ["version: all-MiniLM-L6-v2-int8 -> all-MiniLM-L6-v2-fp32", "precision: int8 -> fp32"],
      },
    ],
    [
      "another model of equal dims",
      sameDims,
      {},
      {
        result: "REEMBED",
        reasons: ["model_id: sentence-transformers/all-MiniLM-L6-v2 -> e5", "version: all-MiniLM-L6-v2-int8 -> e5"],
      },
    ],
    [
      "an equal space elsewhere",
      served,
      {},
      {
        result: "REEMBED",
        reasons: [
          "equal space id, not proved by witnesses (--prove); the fingerprints differ",
          "provider: sentence-transformers -> tei",
        ],
      },
    ],
    [
      "an equal space, proved",
      served,
      { spaceProved: true },
      {
        result: "REUSE",
        reasons: [
          "equal vector space, proved by witnesses; the fingerprints differ",
          "provider: sentence-transformers -> tei",
        ],
      },
    ],
    [
      "other dims, whatever is proved",
      exampleProfile({ name: "b", dims: 512 }),
      { spaceProved: true },
      { result: "REEMBED", reasons: ["dims: 384 -> 512"] },
    ],
    [
      "more dims than the store holds",
      exampleProfile({ name: "b", dims: 4001 }),
      { maxDims: 4000 },
      { result: "REFUSE", reasons: ["b has 4001 dims, the store holds at most 4000"] },
    ],
    [
      "as many dims as it holds",
      exampleProfile({ name: "b", dims: 4000 }),
      { maxDims: 4000 },
      { result: "REEMBED", reasons: ["dims: 384 -> 4000"] },
    ],
    [
      "a lacking capability, though the vectors are equal",
      exampleProfile({ name: "b" }),
      { capabilities: ["supportsDense", "supportsSparse"] },
      { result: "REFUSE", reasons: ["the config needs supports_sparse, which b lacks"] },
    ],
    [
      "the same place in mode model",
      fp32,
      { mode: "model" },
      {
        result: "REFUSE",
        reasons: [
          'seal conflict: in namespace mode model both profiles live at the suffix "sentence_transformers_all_minilm_l6_v2"',
        ],
      },
    ],
    [
      "the same place in mode none",
      sameDims,
      { mode: "none" },
      { result: "REFUSE", reasons: ["seal conflict: in namespace mode none both profiles live at the base itself"] },
    ],
  ])("%s", (_, to, needs, expected) => {
    expect(decideCompatibility(from, to, needs)).toEqual(expected);
  });
});
