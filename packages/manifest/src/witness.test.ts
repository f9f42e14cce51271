import { describe, expect, it } from "vitest";
import { cosineSimilarity, decideWitness, PROBE_TEXTS, WITNESS_MIN_COSINE } from "./witness.js";

const v = (...numbers: number[]) => Float32Array.from(numbers);
/** A unit vector whose cosine with (1, 0) is `cosine`. */
const at = (cosine: number) => v(cosine, Math.sqrt(1 - cosine * cosine));

describe("cosineSimilarity", () => {
  it.each([
    [v(1, 0), v(2, 0), 1],
    [v(1, 0), v(0, 3), 0],
    [v(1, 1), v(-1, -1), -1],
    [v(0, 0), v(1, 0), 0],
  ])("%o and %o", (a, b, want) => expect(cosineSimilarity(a, b)).toBeCloseTo(want, 12));
});

describe("decideWitness", () => {
  it.each([
    ["equal", [v(1, 0)], [v(1, 0)], true],
    ["just inside", [v(1, 0)], [at(WITNESS_MIN_COSINE + 1e-5)], true],
    ["just outside", [v(1, 0)], [at(WITNESS_MIN_COSINE - 1e-5)], false],
    ["one of two is off", [v(1, 0), v(0, 1)], [v(1, 0), v(1, 0)], false],
    ["no probes", [], [], false],
    ["another count", [v(1, 0)], [], false],
    ["another width", [v(1, 0)], [v(1, 0, 0)], false],
    ["not a number", [v(1, 0)], [v(Number.NaN, 0)], false],
  ])("%s", (_name, stored, seen, ok) => expect(decideWitness(stored, seen).ok).toBe(ok));

  it("says how far off the worst probe is", () => {
    expect(decideWitness([v(1, 0), v(1, 0)], [at(0.9995), at(0.5)]).minCosine).toBeCloseTo(0.5, 6);
  });
});

it("probes both sides with distinct texts", () => {
  const texts = [...PROBE_TEXTS.document, ...PROBE_TEXTS.query];
  expect(new Set(texts).size).toBe(5);
});
