import * as fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalJson, type Json } from "./canonical-json.js";

const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
  ),
})).value;

const reversed = (value: Json): Json => {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
};

it("does not depend on the order of keys, and loses nothing", () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

it.each<[Json, string]>([
  [{ b: 1, a: [true, null, { d: "é", c: 0.1 }] }, '{"a":[true,null,{"c":0.1,"d":"é"}],"b":1}'],
  [{ Z: 1, a: 2, "": 3 }, '{"":3,"Z":1,"a":2}'],
  ["\u2028\n", JSON.stringify("\u2028\n")],
])("writes %j as %s", (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

it.each([NaN, Infinity, -Infinity])("refuses %s", (value) => {
  expect(() => canonicalJson([value])).toThrow(TypeError);
});
