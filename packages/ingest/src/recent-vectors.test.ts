import { describe, expect, it } from "vitest";
import { RecentVectors } from "./recent-vectors.js";

const vectors = Array.from({ length: 20 }, (_, n) => new Float32Array([n, n]));
const kept = (recent: RecentVectors) => vectors.flatMap((vector, n) => (recent.get(String(n)) === vector ? [n] : []));

describe("recent vectors", () => {
  it("hold the last ones, at least half of the bound and at most all of it", () => {
    const recent = new RecentVectors(8 * vectors[0]!.byteLength);
    const lengths = vectors.map((vector, n) => {
      recent.add(String(n), vector);
      return kept(recent).length;
    });
    expect(kept(recent)).toEqual([12, 13, 14, 15, 16, 17, 18, 19]);
    expect(Math.max(...lengths)).toBe(8);
    expect(Math.min(...lengths.slice(8))).toBe(5);
  });

  it("keep a vector that is there", () => {
    const recent = new RecentVectors(1_000);
    recent.add("a", vectors[1]!);
    recent.add("a", vectors[2]!);
    expect(recent.get("a")).toBe(vectors[1]);
  });
});
