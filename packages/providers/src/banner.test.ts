import { expect, it } from "vitest";
import { renderBanner, type BannerInfo } from "./banner.js";
import { profileOf } from "./profile.test-data.js";

const info: BannerInfo = {
  environment: "production",
  profile: profileOf(),
  baseline: "st_minilm",
  namespace: "docs_st_minilm",
  namespaceMode: "profile",
  strictMode: true,
  swappable: false,
  experiment: null,
  permittedBy: null,
};

it("says what runs, with the swap flags also when they are off", () => {
  expect(renderBanner(info)).toBe(`Environment: production
Active Profile: st_minilm
Baseline Profile: st_minilm
Provider: sentence-transformers
Model: sentence-transformers/all-MiniLM-L6-v2
Dims: 384
Similarity: cosine
Namespace: docs_st_minilm
Namespace Mode: profile
Strict Mode: True
Profile Swappable: False
Profile Experiment:
Permitted By: baseline
`);
});

it("says who permitted an override", () => {
  const lines = renderBanner({
    ...info,
    strictMode: false,
    swappable: true,
    experiment: "b",
    permittedBy: "swappable",
  });
  expect(lines.split("\n").slice(9, 13)).toEqual([
    "Strict Mode: False",
    "Profile Swappable: True",
    "Profile Experiment: b",
    "Permitted By: swappable",
  ]);
});
