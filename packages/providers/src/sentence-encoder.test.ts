import { describe, expect, it } from "vitest";
import { pool } from "./sentence-encoder.js";

// Two texts of 1 and 2 tokens, padded to 2, of 2 dims; padding holds numbers that must not count.
const hidden = Float32Array.of(3, 4, 99, 99, 1, 0, 3, 8);
const batch = [{ length: 1 }, { length: 2 }];
const shape = { sequence: 2, dims: 2 };

describe("pooling", () => {
  it.each([
    ["mean", false, [3, 4, 2, 4]],
    ["cls", false, [3, 4, 1, 0]],
    ["mean", true, [0.6, 0.8, 1 / Math.sqrt(5), 2 / Math.sqrt(5)]],
    ["cls", true, [0.6, 0.8, 1, 0]],
  ] as const)("%s, normalised %s", (pooling, normalize, vectors) => {
    expect(pool(hidden, batch, { ...shape, pooling, normalize })).toEqual(Float32Array.from(vectors));
  });
});
