import { expect, it } from "vitest";
import { decideFilledBy } from "./filled-by.js";

const server = { shared: true };
const embedded = { shared: false };

it.each([
  ["a server", undefined, server, "both"],
  ["a server", "local", server, "local"],
  ["a server", "queue", server, "queue"],
  ["the embedded database", undefined, embedded, "local"],
  ["the embedded database", "local", embedded, "local"],
] as const)("on %s, --workers %s: %o means %s", (_name, asked, place, filledBy) =>
  expect(decideFilledBy(asked, place)).toBe(filledBy),
);

it.each([
  ["another word", "Queue", server, 'expected local or queue, got "Queue"'],
  ["nobody else", "queue", embedded, "an embedded database has one process"],
] as const)("refuses %s", (_name, asked, place, message) => {
  const refusal = expect.objectContaining({ code: "EMB_USAGE", message: expect.stringContaining(message) });
  expect(() => decideFilledBy(asked, place)).toThrow(refusal);
});
