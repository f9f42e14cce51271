import { expect, it } from "vitest";
import { backOffMs } from "./back-off.js";

it.each([
  [1, 1, 2_000],
  [1, 0, 1_500],
  [2, 1, 4_000],
  [8, 1, 256_000],
  [9, 1, 300_000],
  [2_000, 0, 225_000],
])("after %i failures, with %d at random: %d ms", (failures, random, ms) =>
  expect(backOffMs(failures, random)).toBe(ms),
);
