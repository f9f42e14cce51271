import { expect, it } from "vitest";
import { arrayLiteral } from "./array-literal.js";

it("writes every kind of value as PostgreSQL reads it", () => {
  expect(arrayLiteral([])).toBe("{}");
  expect(arrayLiteral(["a", "", "NULL", 'b"c', "d\\e", "f,{g}"])).toBe('{"a","","NULL","b\\"c","d\\\\e","f,{g}"}');
  expect(arrayLiteral([1n, -2, 0.5, true, null])).toBe("{1,-2,0.5,true,NULL}");
  expect(arrayLiteral([Uint8Array.of(0, 255)])).toBe('{"\\\\x00ff"}');
  expect(arrayLiteral([new Date(0)])).toBe('{"1970-01-01T00:00:00.000Z"}');
  expect(
    arrayLiteral([
      [1, 2],
      [3, 4],
    ]),
  ).toBe("{{1,2},{3,4}}");
});
