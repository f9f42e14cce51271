import { expect, it } from "vitest";
import { wholeNumber } from "./whole-number.js";

it.each([
  ["1", 1],
  ["64", 64],
  ["007", 7],
])("%s is the whole number %i", (text, number) => expect(wholeNumber("--concurrency", text, [1, 64])).toBe(number));

it.each(["1.5", "0", "65", "-1", "+1", "1e1", "0x2", " 2", "", "many", "9999999999"])("%j is refused", (text) =>
  expect(() => wholeNumber("--concurrency", text, [1, 64])).toThrowError(
    expect.objectContaining({
      code: "EMB_USAGE",
      message: `--concurrency: expected a whole number from 1 to 64, got "${text}"`,
      hint: "For example --concurrency 10.",
    }),
  ),
);
