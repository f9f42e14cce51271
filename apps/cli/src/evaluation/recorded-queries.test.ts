import { expect, it } from "vitest";
import { recordedSample } from "./recorded-queries.js";

it.each([
  ["shadow", 1_000],
  ["shadow:1", 1],
  ["shadow:25000", 25_000],
  ["./shadow", null], // a folder of that name
  ["shadows", null],
])("--queries %s asks for %j recorded queries", (flag, count) => expect(recordedSample(flag)).toBe(count));

it.each(["shadow:", "shadow:0", "shadow:-1", "shadow:1.5", "shadow:all"])("--queries %s is refused", (flag) =>
  expect(() => recordedSample(flag)).toThrow(/--queries shadow:N: expected a whole number/),
);
