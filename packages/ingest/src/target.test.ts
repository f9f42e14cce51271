import { describe, expect, it } from "vitest";
import { fingerprint, parseManifest, spaceId, type NamespaceMode, type Profile } from "@emb/manifest";
import type { NamespaceRecord } from "@emb/store";
import { decideTarget } from "./target.js";

const text = (name: string, version: string) => `
  ${name}:
    provider: use-lite
    model_id: m
    version: "${version}"
    dims: 8
    similarity: cosine
    tokenizer: { backend: none, model_id: m }
    capabilities: { supports_dense: true, supports_sparse: false, supports_colbert: false, supports_long_sequences: false, normalized_output: true, multilingual: false }
`;
const reading = parseManifest(`profiles:${text("a", "1")}${text("b", "2")}${text("a_changed", "3")}`, {
  file: "m.yaml",
});
const profileOf = (name: string): Profile => {
  const profile = reading.ok ? reading.manifest.profiles.get(name) : undefined;
  if (profile === undefined) throw new Error(JSON.stringify(reading));
  return profile;
};

const record = (profile: Profile, suffix: string, mode: NamespaceMode, name = profile.name): NamespaceRecord => ({
  id: 1,
  base: "docs",
  suffix,
  mode,
  namespace: suffix === "" ? "docs" : `docs_${suffix}`,
  state: "ready",
  createdAt: new Date(0),
  seal: {
    spaceId: spaceId(profile),
    fingerprint: fingerprint(profile),
    chunkerId: "chunks-1/200",
    profile: name,
    provider: "use-lite",
    modelId: "m",
    dims: 8,
    similarity: "cosine",
    storage: "vector",
    witness: [],
  },
});
const decide = (
  profile: Profile,
  suffix: string,
  mode: NamespaceMode,
  base: NamespaceRecord[],
  chunkerId = "chunks-1/200",
) =>
  decideTarget({
    profile,
    chunkerId,
    base,
    baseMode: base[0]?.mode ?? null,
    address: {
      base: "docs",
      suffix,
      mode,
      namespace: suffix === "" ? "docs" : `docs_${suffix}`,
    },
  });
const codeOf = (decision: ReturnType<typeof decideTarget>) =>
  decision.kind === "refused" ? decision.error.code : decision.kind;

describe("decideTarget", () => {
  const a = profileOf("a");
  const b = profileOf("b");
  it.each([
    ["nothing there", decide(a, "a", "profile", []), "create"],
    ["its own namespace", decide(a, "a", "profile", [record(a, "a", "profile")]), "reuse"],
    ["another profile beside it", decide(b, "b", "profile", [record(a, "a", "profile")]), "create"],
    ["a second profile in mode none", decide(b, "", "none", [record(a, "", "none")]), "EMB_NAMESPACE_OCCUPIED"],
    ["the same profile in mode none", decide(a, "", "none", [record(a, "", "none")]), "reuse"],
    [
      "after the first one is retired",
      decide(b, "", "none", [{ ...record(a, "", "none"), state: "retired" }]),
      "create",
    ],
    [
      "another mode than the base's",
      decide(a, "1", "version", [record(a, "a", "profile")]),
      "EMB_NAMESPACE_MODE_MISMATCH",
    ],
    [
      "a profile changed under its name",
      decide(a, "a", "profile", [record(profileOf("a_changed"), "a", "profile", "a")]),
      "EMB_SEAL_MISMATCH",
    ],
    ["other chunks", decide(a, "a", "profile", [record(a, "a", "profile")], "chunks-1/100"), "EMB_SEAL_MISMATCH"],
  ])("%s: %#", (_name, decision, want) => expect(codeOf(decision)).toBe(want));

  it("names both fingerprints, and says that a changed profile needs a new name", () => {
    const decision = decide(a, "a", "profile", [record(profileOf("a_changed"), "a", "profile", "a")]);
    if (decision.kind !== "refused") throw new Error("expected a refusal");
    expect(decision.error.message).toContain(fingerprint(a).slice(0, 12));
    expect(decision.error.message).toContain(fingerprint(profileOf("a_changed")).slice(0, 12));
    expect(decision.error.hint).toContain("new profile name");
  });
});
