import { describe, expect, it } from "vitest";
import * as fc from "fast-check";
import { toHalf } from "./half-float.js";
import { checkVector, readVector, vectorBytes, vectorText, writeVector, type VectorShape } from "./vector-bytes.js";

const shape = (change: Partial<VectorShape> = {}): VectorShape => ({
  dims: 3,
  storage: "vector",
  similarity: "cosine",
  ...change,
});

function written(of: VectorShape, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(vectorBytes(of));
  writeVector(of, new Float32Array(values), () => "it", { view: new DataView(bytes.buffer), at: 0 });
  return bytes;
}

describe("half precision", () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [65_519, 0x7bff],
    [65_520, 0x7c00],
    [1e9, 0x7c00],
    [-Infinity, 0xfc00],
    [NaN, 0x7e00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -25, 0x0001],
    [2 ** -26, 0x0000],
    [1 + 2 ** -11, 0x3c00], // ties go to even
    [1 + 3 * 2 ** -11, 0x3c02],
    [2047.5, 0x6800],
  ])("%d is 0x%s", (value, bits) => expect(toHalf(value)).toBe(bits));
});

it("a written vector is read back bit for bit", () => {
  const finite = fc.float({ noDefaultInfinity: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 40 }), (values) => {
      const bytes = written(shape({ dims: values.length, similarity: "dot" }), values);
      expect(Buffer.from(readVector(bytes).buffer).equals(Buffer.from(new Float32Array(values).buffer))).toBe(true);
    }),
  );
});

it.each([
  ["too few", [1, 2], shape()],
  ["too many", [1, 2, 3, 4], shape()],
  ["not a number", [1, NaN, 3], shape()],
  ["infinite", [1, 2, -Infinity], shape()],
  ["infinite as a half", [1, 2, 65_520], shape({ storage: "halfvec" })],
  ["without direction", [0, -0, 0], shape()],
  ["without direction as a half", [0, 1e-9, 0], shape({ storage: "halfvec" })],
])("a vector with %s numbers is refused", (_, values, of) => {
  expect(() => written(of, values)).toThrow(expect.objectContaining({ code: "EMB_VECTOR_INVALID" }));
});

it("a query is checked the same way", () => {
  for (const bad of [
    [1, 2],
    [1, NaN, 3],
    [0, 0, 0],
  ])
    expect(() => checkVector(shape(), new Float32Array(bad), "query")).toThrow(/^query: expected/);
  checkVector(shape({ similarity: "dot" }), new Float32Array(3), "query");
});

it("the text form keeps float32", () =>
  expect(vectorText(new Float32Array([0.1, -2, 1e-8]))).toBe("[0.10000000149011612,-2,9.99999993922529e-9]"));
