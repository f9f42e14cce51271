import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BODY_PADDING, bodyBytes, readNumberRow } from "./number-rows.js";

function readRow(text: string, dims: number): { end: number; row: Float32Array } {
  const length = Buffer.byteLength(text);
  const row = new Float32Array(dims);
  const end = readNumberRow(
    bodyBytes(Buffer.concat([Buffer.from(text)], length + BODY_PADDING), length),
    1,
    row,
    0,
    dims,
  );
  return { end, row };
}

/** To the bit, and -0 is not 0. */
const expectSame = (texts: readonly string[]) => {
  const text = `[${texts.join(",")}]`;
  const { end, row } = readRow(text, texts.length);
  expect(end).toBe(text.length);
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) throw new Error("no list");
  for (const [i, value] of parsed.entries()) expect([texts[i], row[i]]).toEqual([texts[i], Math.fround(Number(value))]);
};

const RUNS = { numRuns: 3_000 };
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });

describe("readNumberRow", () => {
  it("reads any finite double as JSON.parse and Math.fround do", () => {
    fc.assert(
      fc.property(fc.array(double, { minLength: 1, maxLength: 8 }), (values) =>
        expectSame(values.map((v) => JSON.stringify(v))),
      ),
      RUNS,
    );
  });

  it("reads float32 however many digits they are written with", () => {
    fc.assert(
      fc.property(float, fc.integer({ min: 1, max: 21 }), (value, digits) => {
        expectSame(
          [value.toPrecision(digits), value.toExponential(digits - 1), value.toFixed(Math.min(digits, 20))].filter(
            isJson,
          ),
        );
      }),
      RUNS,
    );
  });

  it("reads numbers that lie between two float32, or a hair beside", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7f7f_fffe }),
        fc.integer({ min: -3, max: 3 }),
        fc.boolean(),
        (bits, ulps, negative) => {
          const [low, high] = new Float32Array(Int32Array.of(bits, bits + 1).buffer);
          const words = new BigInt64Array(Float64Array.of((low! + high!) / 2).buffer);
          words[0] = words[0]! + BigInt(ulps);
          const [middle = 0] = new Float64Array(words.buffer);
          expectSame([JSON.stringify(negative ? -middle : middle)]);
        },
      ),
      RUNS,
    );
  });

  it("reads any digits in any of JSON's forms", () => {
    const form = fc.tuple(
      fc.constantFrom("", "-"),
      fc.oneof(fc.constant("0"), fc.stringMatching(/^[1-9][0-9]{0,25}$/)),
      fc.oneof(fc.constant(""), fc.stringMatching(/^\.[0-9]{1,30}$/)),
      fc.oneof(fc.constant(""), fc.stringMatching(/^[eE][+-]?[0-9]{1,3}$/)),
    );
    fc.assert(
      fc.property(form, (parts) => expectSame([parts.join("")])),
      { numRuns: 10_000 },
    );
  });

  it("takes white space wherever JSON does", () => {
    const text = "[ 1 ,\n-2.5e1\t,\r 0.125 ]";
    expect(readRow(text, 3)).toEqual({ end: text.length, row: Float32Array.of(1, -25, 0.125) });
  });

  it.each([
    ["a list that is too short", "[1,2]", 3],
    ["a list that is too long", "[1,2,3]", 2],
    ["an empty list", "[]", 1],
    ["null", "[1,null]", 2],
    ["NaN", "[NaN]", 1],
    ["Infinity", "[-Infinity]", 1],
    ["a text", '["1"]', 1],
    ["a leading zero", "[01]", 1],
    ["a point without digits", "[1.]", 1],
    ["a point without an integer", "[.5]", 1],
    ["a plus", "[+1]", 1],
    ["an empty exponent", "[1e]", 1],
    ["a bare minus", "[-]", 1],
    ["a missing comma", "[1 2]", 2],
    ["a doubled comma", "[1,,2]", 2],
    ["a trailing comma", "[1,]", 1],
    ["a body that ends in the number", "[0.12", 1],
    ["a body that ends in the list", "[1,", 2],
    ["a nested list", "[[1]]", 1],
    ["hexadecimal", "[0x1]", 1],
  ])("leaves %s to JSON.parse", (_, text, dims) => {
    expect(readRow(text, dims).end).toBe(-1);
  });
});

const isJson = (text: string): boolean => /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(text);
